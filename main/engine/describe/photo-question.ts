/** Turns a question about many photos into one that can be asked of each: "which of these have a dog?" → "is there a dog?". */
import { cleanQuestion } from './questions.ts';

export interface PhotoQuestion {
  /** As it is put to the model for each photo. */
  readonly question: string;
  /** Whether yes and no are the answers to expect. */
  readonly kind: 'yes-no' | 'open';
  /** True when the photos wanted are those for which the answer is no: "which of these have no people?". */
  readonly negated: boolean;
}

const photos = String.raw`(?:photo|photograph|picture|pic|image|shot|snapshot|result|hit|one)s?(?:\s+(?:here|above|below))?`;
const these = String.raw`(?:(?:any|some|all|each|every|one|how many)\s+)?(?:of\s+)?(?:these|those|them|the|my|our|this)(?:\s+${photos})?`;
/** The photos in question as a subject: "of these", "of my photos", "ones", "pictures". */
const subject = String.raw`(?:of\s+${these}|${photos}|these\s+${photos}|those\s+${photos})`;
const verb =
  '(?:have|has|had|having|contain|contains|containing|include|includes|including|show|shows|showing|depict|depicts|' +
  "depicting|feature|features|featuring|with|without|of|are|is|were|was|aren't|isn't|do|does|don't|doesn't|can|" +
  'look|looks|seem|seems|lack|lacks|that|which)';
const leads: readonly RegExp[] = [
  new RegExp(
    String.raw`^(?:in|on)\s+(?:which|what|how many)\s+${subject}\s+(?<clause>(?:is|are|was|were|does|do|can)\b.*)$`,
  ),
  new RegExp(String.raw`^(?:which|what)\s+${subject}\s+(?<predicate>${verb}\b.*)$`),
  new RegExp(String.raw`^which\s+(?<predicate>(?!(?:do|does|is|can)\b|are\s+they\b)${verb}\b.*)$`),
  new RegExp(String.raw`^what\s+(?<predicate>(?:have|has|contains?|shows?|depicts?)\b.*)$`),
  new RegExp(
    String.raw`^how many\s+${subject}\s+(?<predicate>(?!(?:are|is|were|was)\s+there\b)${verb}\b.*)$`,
  ),
  new RegExp(String.raw`^how many\s+(?<predicate>(?:have|contain|include|show|depict|feature)\b.*)$`),
  new RegExp(
    String.raw`^(?:do|does|did|have|has|is|are|was|were|can)\s+(?:any|some|one)\s*(?:${subject}\s+)?(?<any>.*)$`,
  ),
  new RegExp(String.raw`^(?:is|are)\s+there\s+(?:a|an|any|some)\s+${photos}\s+(?<predicate>${verb}\b.*)$`),
  new RegExp(String.raw`^(?:any|any\s+of\s+${these}|any\s+${photos})\s+(?<predicate>${verb}\b.*)$`),
  new RegExp(
    String.raw`^(?:please\s+)?(?:find|show|list|count|give|pick|select)\s+(?:me\s+)?(?:all\s+)?(?:the\s+|those\s+|every\s+|any\s+)?${photos}\s+(?<predicate>${verb}\b.*)$`,
  ),
];

/** @param typed as typed; not empty when clean. */
export function toPhotoQuestion(typed: string): PhotoQuestion {
  const clean = cleanQuestion(typed);
  const words = clean
    .replace(/\u2019/g, "'")
    .replace(/[\s?!.]+$/, '')
    .replace(
      /\s+(?:in|on|among)\s+(?:any of\s+|all of\s+)?(?:these|those|them|my|the)(?:\s+(?:photo|picture|image|result|shot)s?)?$/i,
      '',
    )
    .replace(/^(have|has) ((?:any|some|one)\b.*?) got /i, 'do $2 have ')
    .replace(/^(?:and|so|ok|okay|please|tell me|can you tell me|do you know|i wonder)[\s,]+/i, '');
  const folded = words.toLowerCase();
  for (const lead of leads) {
    const groups = lead.exec(folded)?.groups;
    if (groups === undefined) continue;
    const found =
      groups['clause'] !== undefined
        ? { question: groups['clause'], negated: false }
        : fromPredicate((groups['predicate'] ?? anyPredicate(folded, groups['any'] ?? '')).trim());
    if (found !== undefined)
      return { question: `${found.question}?`, kind: 'yes-no', negated: found.negated };
  }
  if (/^(?:is|are|was|were|does|do|did|can|could|has|have|had|will|would|isn't|aren't)\b/.test(folded))
    return { question: `${oneOf(folded)}?`, kind: 'yes-no', negated: false };
  return { question: aboutThisPhoto(clean), kind: 'open', negated: false };
}

/** "what is in these photos?" is asked of each by itself. */
function aboutThisPhoto(question: string): string {
  return question
    .replace(
      /\b(in|on|of|across)\s+(?:all\s+)?(?:of\s+)?(?:these|those|them|(?:the|my|our) (?=photos|pictures|images))(?:\s*(?:photo|picture|image|result)s)?\b/i,
      '$1 this photo',
    )
    .replace(/\b(?:these|those)\s+(?:photo|picture|image)s\b/i, 'this photo');
}

/** "are any of these outdoors" → "are outdoors"; "do any of these show a dog" → "show a dog". */
function anyPredicate(folded: string, rest: string): string {
  const auxiliary = folded.split(' ', 1)[0] ?? '';
  return /^(?:is|are|was|were)$/.test(auxiliary) ? `${auxiliary} ${rest}` : rest;
}

/** "are these indoors" is asked of each photo by itself. */
function oneOf(folded: string): string {
  return folded
    .replace(/^are\s+(?:these|those|they)\b(?:\s+(?:photo|picture|image)s?)?/, 'is this')
    .replace(/^were\s+(?:these|those|they)\b(?:\s+(?:photo|picture|image)s?)?/, 'was this')
    .replace(/^(?:do|does)\s+(?:these|those|they)\b(?:\s+(?:photo|picture|image)s?)?/, 'does this');
}

/** What is said of the photos, as a question about one of them. */
function fromPredicate(predicate: string): { question: string; negated: boolean } | undefined {
  const [, negation, said] =
    /^(?:that\s+|which\s+)?(?:(do not|does not|don't|doesn't|did not|didn't)\s+|(?:do|does|did)\s+)?(.*)$/.exec(
      predicate,
    ) ?? [];
  if (said === undefined || said === '') return undefined;
  const negated = negation !== undefined;
  const holds =
    /^(?:have|has|had|having|contain|contains|containing|include|includes|including|show|shows|showing|depict|depicts|depicting|feature|features|featuring|with|of)\s+(?:got\s+)?(?:(?:photos?|pictures?|images?)\s+of\s+)?(?<not>no\s+|not any\s+|neither\s+)?(?<thing>.+)$/.exec(
      said,
    )?.groups;
  if (holds?.['thing'] !== undefined)
    return { question: isThere(holds['thing']), negated: negated !== (holds['not'] !== undefined) };
  const lacks = /^(?:(?:are\s+|is\s+)?without|lack|lacks)\s+(?:any\s+)?(?<thing>.+)$/.exec(said)?.groups;
  if (lacks?.['thing'] !== undefined) return { question: isThere(lacks['thing']), negated: !negated };
  const being = /^(?<be>are|is|were|was)(?<not>n't|\s+not)?\s+(?<what>.+)$/.exec(said)?.groups;
  if (being?.['what'] !== undefined) {
    const what = being['what'].replace(/^(?:there\s+)?(?:(?:photos?|pictures?|images?)\s+)?of\s+/, 'of ');
    const past = being['be'] === 'were' || being['be'] === 'was';
    const not = being['not'] !== undefined;
    if (what.startsWith('of ')) return { question: isThere(what.slice(3)), negated: negated !== not };
    if (what.startsWith('there ')) return { question: isThere(what.slice(6)), negated: negated !== not };
    if (isPlural(what) && !past) return { question: isThere(what), negated: negated !== not };
    return { question: `${past ? 'was' : 'is'} it ${what}`, negated: negated !== not };
  }
  const [, does, rest] = /^(look|looks|seem|seems|can)\b\s*(.*)$/.exec(said) ?? [];
  if (does !== undefined)
    return {
      question: does === 'can' ? `can it ${rest}` : `does it ${does.replace(/s$/, '')} ${rest}`,
      negated,
    };
  return undefined;
}

/** "a dog on a lead" → "is there a dog on a lead". */
function isThere(thing: string): string {
  const seen = thing.replace(/^the\s+/, 'the ');
  if (seen.startsWith('the ')) return `does it show ${seen}`;
  return `${isPlural(seen) ? 'are' : 'is'} there ${seen}`;
}

const counted =
  /^(?:two|three|four|five|six|seven|eight|nine|ten|\d{2,}|[2-9]|many|several|few|a few|multiple|both|lots of|a lot of|more than|at least (?!one|a\b))\b/;
const single = /^(?:a|an|one|1|each|every|this|that|someone|somebody|anyone|anybody|something|anything)\b/;
const endsPhrase = new Set(
  (
    'on in with at of by near under next behind beside before above below from to over around between along across ' +
    'wearing holding that which who and or for into inside outside without while as through during'
  ).split(' '),
);
const irregular = new Set(
  'people children men women mice feet teeth geese oxen police cattle sheep deer'.split(' '),
);
const notPlural = new Set(
  (
    'indoors outdoors upstairs downstairs overseas always perhaps besides towards sometimes glass grass bus gas ' +
    'christmas tennis chess news kiss dress across less his its this'
  ).split(' '),
);

/** Whether a noun phrase is one of many things, judged by its determiner or by the ending of its head. */
export function isPlural(phrase: string): boolean {
  if (/^(?:a few|a lot of|a couple of|a pair of)\b/.test(phrase)) return true;
  if (single.test(phrase)) return false;
  if (counted.test(phrase)) return true;
  const words = phrase.replace(/^(?:any|some|the|no|my|our)\s+/, '').split(' ');
  const end = words.findIndex((word, i) => i > 0 && (endsPhrase.has(word) || /[^aeiou]ing$/.test(word)));
  const head = words[(end < 0 ? words.length : end) - 1] ?? '';
  if (irregular.has(head)) return true;
  return /[a-z]{2}s$/.test(head) && !/(?:ss|us|is|ous|ics)$/.test(head) && !notPlural.has(head);
}
