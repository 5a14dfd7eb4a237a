// A message's text as DOM nodes: links, mentions of members, `code`, and plain text. Nothing that was
// typed becomes markup.

// A link ends before characters that could disguise its address: characters without width, and
// those that change the direction of reading.
const UNSEEN = String.raw`\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff`;
const IN_LINK = String.raw`(?:(?!,https?:\/\/)[^\s<>"\u0060${UNSEEN}])+`;
const LABEL = String.raw`[\p{L}\p{N}_-]+`;
// Code, web addresses with any scheme and without, e-mail addresses. An @ in them is no mention; the
// server finds mentions by the same rules (domain/chat/mentions.py), and tests/mention_cases.json is
// tested with both.
const PATTERNS = [
  // The look-ahead takes all backticks of a fence, or thousands of them would be tried in each length.
  "(?<!`)(?=(?<fence>`{3,}))\\k<fence>[^]+?\\k<fence>|`[^`\\n]+`",
  String.raw`(?:https?)?:\/\/${IN_LINK}`,
  String.raw`(?<![\p{L}\p{N}_.@/-])www\.${LABEL}\.\p{L}${IN_LINK}`,
  String.raw`@?(?<![\p{L}\p{N}_.+%'-])[\p{L}\p{N}_.+%'-]*[\p{L}\p{N}_+%-]@(?:${LABEL}\.)+\p{L}{2,}`,
  String.raw`(?<![\p{L}\p{N}_@.-])(?:${LABEL}\.)+\p{L}{2,}(?::\d+)?[/?#]\S*`,
];
const TRAILING = /(?:['’]s|[.,;:!?…»”’'*])+$/;
const BRACKETS = ["()", "[]", "{}", "（）", "「」"];

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);

/** Fills `node` with `text`; an @ before one of `names` is a mention. */
export function renderText(node, text, names = []) {
  const rendered = node.cloneNode(false);
  rendered.append(...nodesOf(text, names));
  // Replacing equal nodes would lose a selection and make a screen reader read the text again.
  if (!rendered.isEqualNode(node)) node.replaceChildren(...rendered.childNodes);
}

function nodesOf(text, names) {
  const nodes = [];
  let end = 0;
  for (const { 0: found, index, groups } of text.matchAll(patternFor(names))) {
    const [length, made] = nodeFor(found, groups.fence);
    if (!made) continue;
    nodes.push(text.slice(end, index), made);
    end = index + length;
  }
  return [...nodes, text.slice(end)].filter((part) => part !== "");
}

function patternFor(names) {
  const longest = [...names].sort((one, other) => other.length - one.length).map(inAnySpelling);
  const mention = String.raw`(?<![\p{L}\p{N}])@(?:${longest.join("|")})(?!_*[\p{L}\p{N}])`;
  return new RegExp([...PATTERNS, ...(longest.length ? [mention] : [])].join("|"), "giu");
}

/** A pattern for a name as the server compares it: with any blanks and any apostrophe. */
function inAnySpelling(name) {
  return escaped(name)
    .replace(/ /g, String.raw`[^\S\n]+`)
    .replace(/['’‘‛′´＇ʼʻʽʾʿˈ]/g, "['’‘‛′´＇ʼʻʽʾʿˈ]");
}

/** Returns [length, element]: the element for the first `length` characters of `found`, null if
 * they are plain text. `fence` are the backticks of a block of code. */
function nodeFor(found, fence = "`") {
  if (found.startsWith("`")) return [found.length, code(found.slice(fence.length, -fence.length))];
  if (found.startsWith("@")) return [found.length, found.includes("@", 1) ? null : mention(found)];
  const address = withoutPunctuation(found);
  return [address.length, link(address)];
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

const mention = (text) => element("span", "mention", text);

/** Code is shown as typed; only links in it are links. */
function code(text) {
  return element("code", "", ...(text.includes("`") ? [text] : nodesOf(text, [])));
}

function link(text) {
  const url = /^www\./i.test(text) ? `http://${text}` : text;
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return null;
  const anchor = element("a", "", text);
  Object.assign(anchor, {
    href: new URL(url).href,
    target: "_blank",
    rel: "noopener noreferrer nofollow",
  });
  return anchor;
}

/** The link without the punctuation of its sentence, and without a bracket that was opened before it. */
function withoutPunctuation(text) {
  const cut = text.replace(TRAILING, "");
  const count = (sign) => cut.split(sign).length;
  const closes = BRACKETS.some(
    ([opening, closing]) => cut.endsWith(closing) && count(closing) > count(opening),
  );
  return closes || cut !== text ? withoutPunctuation(closes ? cut.slice(0, -1) : cut) : cut;
}
