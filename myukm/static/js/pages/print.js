// Opens the print dialog of a page that is made to be printed.

export default function startPrint() {
  print();
}
