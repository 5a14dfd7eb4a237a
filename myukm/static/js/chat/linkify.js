// A message's text as nodes: links that lead to the web and nowhere else, and names of members.
// What was typed never becomes markup.

// A link ends before what could make it look like another one: signs without width or that turn
// the direction of reading around.
const UNSEEN = String.raw`\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff`;
const LINK = String.raw`https?:\/\/[^\s<>"'${UNSEEN}]+`;
const TRAILING = /[.,;:!?…»”’*_~]+$/;

const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);

/** Fills `node` with `text`; `names` are those that count as mentions after an @. */
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

/** The link without the sentence's own full stop, or a bracket that it does not open. */
function withoutEnd(text) {
  const cut = text.replace(TRAILING, "");
  const closes = cut.endsWith(")") && cut.split(")").length > cut.split("(").length;
  return closes || cut !== text ? withoutEnd(closes ? cut.slice(0, -1) : cut) : cut;
}
