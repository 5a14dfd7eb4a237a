// A message's text as DOM nodes: http(s) links, mentions of members, and plain text. Nothing that was
// typed becomes markup.

// A link ends before characters that could disguise it: those without width and those that change
// the direction of reading.
const UNSEEN = String.raw`\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff`;
const LINK = String.raw`https?:\/\/[^\s<>"'${UNSEEN}]+`;
const TRAILING = /[.,;:!?…»”’*_~]+$/;

const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);

/** Fills `node` with `text`; an @ before one of `names` is a mention. */
export function renderText(node, text, names = []) {
  const longest = [...names].sort((one, other) => other.length - one.length);
  const whole = String.raw`(?:${longest.map(quoted).join("|")})(?![\p{L}\p{N}_])`;
  const mention = longest.length ? `|@${whole}` : "";
  const parts = new RegExp(`${LINK}${mention}`, "giu");
  const nodes = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(parts)) {
    const made = found.startsWith("@") ? name(found) : link(found);
    if (!made) continue;
    nodes.push(text.slice(end, index), made);
    end = index + made.textContent.length;
  }
  node.replaceChildren(...nodes, text.slice(end));
}

function name(text) {
  const mark = document.createElement("span");
  mark.className = "mention";
  mark.textContent = text;
  return mark;
}

function link(found) {
  const text = withoutEnd(found);
  if (!URL.canParse(text)) return null;
  const { protocol, href } = new URL(text);
  if (protocol !== "https:" && protocol !== "http:") return null;
  const anchor = document.createElement("a");
  Object.assign(anchor, { href, target: "_blank", rel: "noopener noreferrer nofollow" });
  anchor.textContent = text;
  return anchor;
}

/** The link without the full stop of its sentence, and without a closing bracket that opens before it. */
function withoutEnd(text) {
  const cut = text.replace(TRAILING, "");
  const closes = cut.endsWith(")") && cut.split(")").length > cut.split("(").length;
  return closes || cut !== text ? withoutEnd(closes ? cut.slice(0, -1) : cut) : cut;
}
