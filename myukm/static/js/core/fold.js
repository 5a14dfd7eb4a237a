// Text as searches compare it; the server does the same (`fold` in models/siswa.py).

const QUOTES = /['`´ʹʻʼʽʾʿˈˊˋ˴ꞌ‘’‚‛′‵❛❜❮❯＇｀՚׳"“”„‟«»‹›″‶‴‷ʺˮ❝❞〝〞〟＂״]/gu;
// Letters that Unicode normalization (NFKD) does not decompose.
const LETTERS = {
  ...{ ø: "o", ł: "l", đ: "d", ð: "d", ħ: "h", ŧ: "t", ı: "i", ɓ: "b", ɗ: "d" },
  ...{ æ: "ae", œ: "oe", þ: "th", ß: "ss" },
};
const OTHERS = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "gu");

/** The text without case, accents, apostrophes and quotes. */
export function fold(text) {
  const letters = text
    .toLowerCase()
    .replace(QUOTES, "")
    .replace(OTHERS, (sign) => LETTERS[sign]);
  return letters.normalize("NFKD").replace(/[\p{Mn}\p{Cc}\p{Cf}]/gu, "");
}
