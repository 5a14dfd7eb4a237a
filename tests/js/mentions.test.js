import assert from "node:assert/strict";
import test from "node:test";
import {
  MentionAutocomplete,
  mentionStart,
} from "../../myukm/static/js/chat/mention_autocomplete.js";
import { namesOf, remember, suggest } from "../../myukm/static/js/chat/name_cache.js";

const typed = (text) => mentionStart(text, text.length);

test("a name begins after an @ that begins a word", () => {
  assert.equal(typed("halo @"), "");
  assert.equal(typed("@Meg"), "Meg");
  assert.equal(typed("(@Mega Les"), "Mega Les");
  assert.equal(typed("@Ñandú"), "Ñandú");
  assert.equal(typed("@O'Brien-S. "), "O'Brien-S. ");
  assert.equal(typed("_@Me"), "Me", "emphasis");
});

test("an address or another sign is no mention", () => {
  assert.equal(typed("mega@kampus"), null);
  assert.equal(typed("halo"), null);
  assert.equal(typed("@ Mega"), null);
  assert.equal(typed("@Mega, apa"), null);
  assert.equal(typed(`@${"a".repeat(42)}`), null);
});

test("only what stands before the caret counts", () => {
  assert.equal(mentionStart("@Mega kabar", 3), "Me");
  assert.equal(mentionStart("@Mega kabar", 0), null);
});

test("names are suggested by the beginning of any word", () => {
  const names = ["Mega Lestari", "Farhan Hakim", "Siti Megawati"];
  assert.deepEqual(suggest(names, "meg", 8), ["Mega Lestari", "Siti Megawati"]);
  assert.deepEqual(suggest(names, "hak", 8), ["Farhan Hakim"]);
  assert.deepEqual(suggest(names, "arhan", 8), []);
  assert.deepEqual(suggest(names, "", 2), ["Farhan Hakim", "Mega Lestari"]);
});

test("a person can be mentioned by the newest known name or its first word", () => {
  remember({ user_id: 9, name: "Wati" });
  remember({ user_id: 9, name: "Wati Ningsih" });
  assert.deepEqual(namesOf([9, 404]), ["Wati Ningsih", "Wati"]);
});

test("names are suggested whatever the accents and the kind of apostrophe", () => {
  const names = ["Ma’ruf Søren", "ʿAisyah Núr"];
  assert.equal(typed("@Ma’r"), "Ma’r");
  for (const start of ["maruf", "Ma'ruf", "ma´ruf so", "SOREN"]) {
    assert.deepEqual(suggest(names, start, 8), ["Ma’ruf Søren"], start);
  }
  for (const start of ["aisyah nur", "'Aisyah", "NÚR"]) {
    assert.deepEqual(suggest(names, start, 8), ["ʿAisyah Núr"], start);
  }
});

/** A completion of a field with `text`, the caret at its end and one suggested name. */
function openCompletion(text) {
  const listen = () => {};
  const field = {
    value: text,
    selectionStart: text.length,
    addEventListener: listen,
    removeAttribute: listen,
  };
  const list = {
    hidden: false,
    children: [{ textContent: "Mega Lestari" }],
    addEventListener: listen,
  };
  return new MentionAutocomplete(field, list, async () => []);
}

test("Enter sends when the caret was moved away from the name, and the list closes", () => {
  const completion = openCompletion("@Meg");
  completion.field.selectionStart = 0;
  assert.equal(completion.handleKey({ key: "Enter" }), false);
  assert.ok(completion.list.hidden);
});
