/** Made-up captions, answers and reasons for the page tests: streamed, stoppable, sometimes unsure or failing. */
import type {
  CallOutput,
  Caption,
  Hit,
  Pack,
  PhotoAnswer,
  PhotoTag,
  ResultsAnswer,
  Why,
} from '../../main/contract.ts';
import { AppError } from '../../main/errors.ts';
import { mix, sizeOf, type FakeLibrary } from './fake-library.ts';
import type { Handlers } from './fake-server.ts';

const things = [
  'a white sun over green hills',
  'a brown dog on a wooden pier',
  'two people walking along a beach in the evening light',
  'a red car in front of a house',
  'a birthday cake with candles on a table',
  'snow on a mountain under a clear sky',
] as const;
const tagNames = ['landscape', 'sky', 'sunset', 'dog', 'people', 'beach', 'car', 'golden hour'] as const;
const colours = ['red', 'green', 'blue', 'brown', 'white'] as const;
/** These photos cannot be read when many are asked. */
const isBroken = (id: number): boolean => mix(id + 3) % 19 === 0;
interface Streamed {
  readonly signal: AbortSignal;
  readonly progress: (value: { text: string }) => void;
}

export class FakeDescriptions {
  /** Between two words of a stream, and between two photos, milliseconds. */
  paceMs = 5;
  /** Streams stop after their first word until this is there. */
  held: Promise<void> = Promise.resolve();
  readonly captions = new Map<number, Caption>();
  readonly answers = new Map<number, PhotoAnswer[]>();
  readonly #library: FakeLibrary;
  readonly #described: (photoIds: number[]) => void;

  constructor(library: FakeLibrary, described: (photoIds: number[]) => void) {
    this.#library = library;
    this.#described = described;
  }

  /** Of these the model will not say anything. */
  isDoubtful(id: number): boolean {
    return mix(id + 1) % 9 === 0;
  }

  /** The middle of the sun in the painted picture, in fractions of its width and height. */
  sunOf(id: number): { x: number; y: number } {
    return { x: (20 + ((mix(id) >> 8) % 60)) / 100, y: 0.3 };
  }

  tagsOf(id: number): PhotoTag[] {
    return tagNames
      .map((name, at) => ({ tagId: at + 1, name, probability: (mix(id * 31 + at) % 1_000) / 1_000 }))
      .filter(({ probability }) => probability > 0.62)
      .sort((a, b) => b.probability - a.probability);
  }

  /** Photos whose captions hold all of these words. */
  withWords(text: string): number[] {
    const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    if (words.length === 0) return [];
    return [...this.captions].flatMap(([id, caption]) =>
      words.every((word) => caption.text.toLowerCase().includes(word)) ? [id] : [],
    );
  }

  readonly handlers: Handlers = {
    'captions.of': ({ photoIds }) => ({
      captions: photoIds.flatMap((photoId) => {
        const text = this.captions.get(photoId)?.text ?? '';
        return text === '' ? [] : [{ photoId, text }];
      }),
    }),
    'captions.make': async ({ photoId, again }, stream) => {
      const held = this.captions.get(photoId);
      if (held !== undefined && !again) return this.#made(photoId, held, true);
      const text = things[mix(photoId) % things.length] ?? '';
      await this.#stream(text, stream);
      const sure = !this.isDoubtful(photoId);
      const caption: Caption = {
        text: sure ? text : '',
        by: 'model',
        sure,
        confidence: sure ? 0.7 + (mix(photoId) % 28) / 100 : 0.22,
        packId: 'starter-captioner',
        at: Date.now(),
      };
      this.#keep(photoId, caption);
      return this.#made(photoId, caption, false);
    },
    'captions.set': ({ photoId, text }) => {
      const caption: Caption | null =
        text === '' ? null : { text, by: 'hand', sure: true, confidence: null, packId: null, at: Date.now() };
      this.#keep(photoId, caption);
      return { caption };
    },
    'ask.suggestions': () => ({
      questions: [
        'What is this?',
        'How many people are there?',
        'What colour is the car?',
        'Is it outdoors?',
      ],
    }),
    'ask.history': ({ photoId }) => ({ answers: this.answers.get(photoId) ?? [] }),
    'ask.forget': ({ photoId }) => {
      this.answers.delete(photoId);
      return {};
    },
    'ask.photo': async ({ photoId, question }, stream) => {
      const [characters, fit] = [question.length, 240];
      if (characters > fit)
        throw new AppError('input-invalid', 'The question is too long.', { details: { characters, fit } });
      const answer = answerTo(photoId, question);
      await this.#stream(answer.sure ? answer.answer : '…', stream);
      this.answers.set(photoId, [...(this.answers.get(photoId) ?? []), answer]);
      return { ...answer, path: this.#library.detail(photoId).path, cached: false, seconds: 0.4 };
    },
    'ask.results': async ({ text, photoIds, question, limit }, { signal, progress }) => {
      const all = this.#library.search(text === '' ? 'photo' : text, 0, 0, 5_000).hits;
      const hits = (photoIds === undefined ? all : all.filter(({ id }) => photoIds.includes(id))).slice(
        0,
        limit,
      );
      for (let done = 1; done < hits.length; done++) {
        await this.#pause(signal);
        if (done === 1) await until(this.held, signal);
        progress({ done, total: hits.length, early: gather(question, hits.slice(0, done)) });
      }
      return gather(question, hits);
    },
    'search.why': ({ photoId, text }) => this.#why(photoId, text),
  };

  #keep(photoId: number, caption: Caption | null): void {
    if (caption === null) this.captions.delete(photoId);
    else this.captions.set(photoId, caption);
    this.#described([photoId]);
  }

  #made(photoId: number, caption: Caption, cached: boolean): CallOutput<'captions.make'> {
    return {
      path: this.#library.detail(photoId).path,
      caption,
      pack: { id: 'starter-captioner', name: 'Starter captions' },
      cached,
      seconds: 0.4,
    };
  }

  async #stream(text: string, { signal, progress }: Streamed): Promise<void> {
    const words = text.split(' ');
    for (let count = 1; count <= words.length; count++) {
      await this.#pause(signal);
      progress({ text: words.slice(0, count).join(' ') });
      if (count === 1) await until(this.held, signal);
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    await until(new Promise((resolve) => setTimeout(resolve, this.paceMs)), signal);
  }

  #why(photoId: number, text: string): Why {
    const { count } = this.#library;
    const score = 0.2 + (mix(photoId + text.length) % 120) / 1_000;
    const counts = Array.from({ length: 36 }, (_, at) =>
      Math.round((count / 9) * Math.exp(-(((at - 13) / 5) ** 2)) + (at > 22 && at < 31 ? count / 200 : 0)),
    );
    const caption = this.captions.get(photoId)?.text ?? '';
    const words = text.match(/\p{L}+/gu) ?? [];
    return {
      score,
      band: score > 0.28 ? 'strong' : score > 0.23 ? 'likely' : 'weak',
      foundBy: this.withWords(text).includes(photoId) ? 'both' : 'looks',
      library: {
        photos: count,
        mean: 0.11,
        std: 0.04,
        percentile: Math.min(0.997, 0.6 + score),
        likelyAt: 0.22,
        strongAt: 0.27,
        histogram: { from: 0, to: 0.36, counts },
      },
      tags: tagNames
        .map((name, at) => ({ tagId: at + 1, name, probability: (mix(photoId * 31 + at) % 1_000) / 1_000 }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, 5),
      words: words
        .filter((word) => caption.toLowerCase().includes(word.toLowerCase()))
        .map((word) => ({ word, where: 'caption' as const, text: caption })),
      heat:
        text === '' ? null : heatOver(photoId, this.sunOf(photoId), text.includes('submarine') ? 0.05 : 1),
    };
  }
}

/** Hottest where the painted picture has its sun, so that one can see whether the map lies where it should. */
function heatOver(photoId: number, sun: { x: number; y: number }, most: number): NonNullable<Why['heat']> {
  const { width, height } = sizeOf(photoId);
  const [w, h] = width > height ? [height / width, 1] : [1, width / height];
  const window = { left: (1 - w) / 2, top: (1 - h) / 2, width: w, height: h };
  const side = 7;
  const values = Array.from({ length: side * side }, (_, at) => {
    const x = window.left + (((at % side) + 0.5) / side) * w;
    const y = window.top + ((Math.floor(at / side) + 0.5) / side) * h;
    const away = ((x - sun.x) * width) ** 2 + ((y - sun.y) * height) ** 2;
    return most * Math.exp(-away / (0.16 * Math.min(width, height)) ** 2);
  });
  return { method: 'patches', rows: side, columns: side, values, window };
}

function answerTo(id: number, question: string): PhotoAnswer {
  const seed = mix(id * 7 + question.length);
  const yesNo = /^(is|are|do|does|can|which|any)\b/i.test(question);
  const pool = yesNo
    ? ['yes', 'no']
    : /how many/i.test(question)
      ? ['2', '1', '3', '4']
      : /colou?r/i.test(question)
        ? colours
        : ['a sun over hills', 'a landscape', 'a field', 'a painting'];
  const best = /name|who/i.test(question) ? 0.18 : 0.52 + (seed % 46) / 100;
  const answers = pool
    .map((_, at) => ({
      answer: pool[(at + seed) % pool.length] ?? '',
      probability: at === 0 ? best : ((1 - best) / (pool.length - 1)) * (at === 1 ? 1 : 0.7),
    }))
    .sort((a, b) => b.probability - a.probability);
  const sure = best >= 0.6;
  return {
    question,
    answer: sure ? (answers[0]?.answer ?? '') : '',
    sure,
    confidence: answers[0]?.probability ?? 0,
    answers,
    packId: 'starter-answerer',
    at: Date.now(),
  };
}

function gather(question: string, hits: readonly Hit[]): ResultsAnswer {
  const tally = new Map<string, number>();
  const said = hits
    .filter(({ id }) => !isBroken(id))
    .map((photo) => {
      const { answers, confidence, sure } = answerTo(photo.id, question);
      const answer = answers[0]?.answer ?? '';
      if (sure) tally.set(answer, (tally.get(answer) ?? 0) + 1);
      return { photo, answer, confidence, sure };
    });
  const sorted = [...tally].sort((a, b) => b[1] - a[1]);
  const wanted = sorted.some(([answer]) => answer === 'yes' || answer === 'no') ? 'yes' : sorted[0]?.[0];
  const plain = (list: typeof said): ResultsAnswer['supporting'] =>
    list.map(({ photo, answer, confidence }) => ({ photo, answer, confidence }));
  const supporting = plain(said.filter((one) => one.sure && one.answer === wanted));
  return {
    question,
    answer: `${supporting.length} of ${said.length} photos`,
    supporting,
    opposing: plain(said.filter((one) => one.sure && one.answer !== wanted)),
    unsure: plain(said.filter((one) => !one.sure)),
    failed: hits
      .filter(({ id }) => isBroken(id))
      .map(({ id, path }) => ({ photoId: id, path, code: 'image-broken', message: `${path} is damaged.` })),
    tally: sorted.map(([answer, photos]) => ({ answer, photos })),
    seconds: 2.4,
  };
}

/** @throws AppError cancelled as soon as nobody waits any more */
async function until(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const gone = Promise.withResolvers<never>();
  const stop = (): void => gone.reject(new AppError('cancelled', 'Nobody waits for it any more.'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([work, gone.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** @param starter what the two have in common with the pack for searching. */
export function writingPacks(starter: Pack, installed: boolean): Pack[] {
  const common = { ...starter, dims: 0, photos: 0, installed };
  return [
    {
      ...common,
      id: 'starter-captioner',
      name: 'Starter captions',
      description: 'Comes with the app. Says in a few English words what is in a photo.',
      tasks: ['caption'],
      family: 'starter-writer',
      bytes: 12_400_000,
      active: installed ? ['caption'] : [],
    },
    {
      ...common,
      id: 'starter-answerer',
      name: 'Starter answers',
      description: 'Comes with the app. Answers simple English questions about a photo.',
      tasks: ['answer'],
      family: 'starter-writer',
      bytes: 9_800_000,
      active: installed ? ['answer'] : [],
    },
  ];
}
