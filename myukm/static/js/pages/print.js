// A page that is made to be printed opens the print dialog at once.

export default function startPrint() {
  print();
}
