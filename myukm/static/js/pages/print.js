// A page that is made to be printed: asks for the printer at once.

export default function startPrint() {
  print();
}
