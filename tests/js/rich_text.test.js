import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { renderText } from "../../myukm/static/js/chat/rich_text.js";

class FakeNode {
  constructor(name) {
    Object.assign(this, { name, children: [] });
  }

  append(...children) {
    this.children.push(...children);
  }

  cloneNode() {
    return new FakeNode(this.name);
  }

  get childNodes() {
    return this.children;
  }

  isEqualNode() {
    return false;
  }

  replaceChildren(...children) {
    this.children = children;
  }

  get textContent() {
    return this.children.map((child) => child.textContent ?? child).join("");
  }
}

globalThis.document = { createElement: (name) => new FakeNode(name) };

/** The elements of a rendered text, as [name, text], and the full text. */
function shown(text, names) {
  const node = new FakeNode("p");
  renderText(node, text, names);
  const all = (at) => at.children.flatMap((child) => (child.name ? [child, ...all(child)] : []));
  return { parts: all(node).map((each) => [each.name, each.textContent]), text: node.textContent };
}

const links = (text) =>
  shown(text)
    .parts.filter(([name]) => name === "a")
    .map(([, part]) => part);

test("a link is complete and contains nothing of the sentence around it", () => {
  for (const address of [
    "https://a.example/x_",
    "https://a.example/x~",
    "https://a.example/x-",
    "https://a.example/x__",
    "https://a.example/a_(b)",
    "https://a.example/?a[]=1",
    "https://a.example/jum'at",
    "https://a.example/a,b",
    "HTTP://a.example",
    "www.kampus.ac.id",
    "www.kampus.ac.id/jadwal_",
  ]) {
    for (const [before, after] of [
      ["", ""],
      ["lihat ", ", ya"],
      ["(", ")"],
      ["(", ")."],
      ["[", "]"],
      ["[teks](", ") itu"],
      ["{", "}!"],
      ["<", ">"],
      ["`", "`"],
      ["*", "*"],
      ['"', '"'],
      ["'", "',"],
      ["“", "”."],
      ["di ", "; lalu"],
      ["", ",\nbaris"],
    ]) {
      assert.deepEqual(links(before + address + after), [address], before + address + after);
    }
  }
});

test("two links with only a comma between them are two", () => {
  assert.deepEqual(links("https://a.example,https://b.example/x,"), [
    "https://a.example",
    "https://b.example/x",
  ]);
});

test("text that only resembles a link is plain", () => {
  for (const text of [
    "www.",
    "www.x",
    "awww.a.example",
    "javascript:alert(1)",
    "https://",
    "//a.b",
  ]) {
    assert.deepEqual(links(text), [], text);
  }
});

test("code is between backticks, and nothing in it is a mention", () => {
  assert.deepEqual(shown("jalankan `ls -l @Budi`, ya", ["Budi"]), {
    parts: [["code", "ls -l @Budi"]],
    text: "jalankan ls -l @Budi, ya",
  });
  assert.deepEqual(shown("```\na`b\n```").parts, [["code", "\na`b\n"]]);
  assert.deepEqual(shown("````a```b````").parts, [["code", "a```b"]]);
  assert.deepEqual(shown("````abc```"), { parts: [["code", "abc"]], text: "```abc``" });
  for (const text of ["satu ` saja", "``", "dua\n`baris\nbeda`"]) {
    assert.deepEqual(shown(text), { parts: [], text });
  }
});

const mentions = (text, names) => shown(text, names).parts.map(([, part]) => part);

test("the longest name after an @ is marked, whatever sign follows", () => {
  const names = ["Budi", "Budi Santoso", "Ma’ruf"];
  for (const sign of ["'s", "’s", "*", "—", ",", "/", ".", "_", "~", "`", ")", "\n", " ya"]) {
    assert.deepEqual(mentions(`*(@Budi Santoso${sign}`, names), ["@Budi Santoso"], sign);
  }
  assert.deepEqual(mentions("@budi  santoso/@BUDI, @Ma'ruf", names), [
    "@budi  santoso",
    "@BUDI",
    "@Ma'ruf",
  ]);
  assert.deepEqual(mentions("@Budiman @Budi_9 x@Budi", names), []);
});

const cases = JSON.parse(readFileSync(new URL("../mention_cases.json", import.meta.url)));

test("the page marks the mentions that the server finds", () => {
  for (const { text, marked } of cases) {
    const { parts } = shown(text, ["Budi", "Budi Santoso"]);
    const spans = parts.filter(([name]) => name === "span").map(([, part]) => part);
    assert.deepEqual(spans, marked, text);
  }
});

test("a name with a hyphen or a character of regular expressions is marked", () => {
  for (const name of ["Nur-Aini Al-Farisi", "Budi (2)", "M. Ali", "a+b/c"]) {
    assert.deepEqual(mentions(`halo @${name}, ya`, [name]), [`@${name}`]);
  }
});
