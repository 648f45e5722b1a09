/**
 * The alignment lab on the captioned photos that the starter pack was trained and validated on: trains on those of its
 * training split, judges on those of its validation split. Each row is kept as soon as it is there, so that a run that
 * was ended goes on. `npm run bench -- lab --scoring pairs|study --tokens all|mean --heads v0,v3 --limit 600 --seeds 1,2`
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { LabRow } from '../../main/contract.ts';
import { createDecoder } from '../../main/engine/inference/decoder.ts';
import { silentLog } from '../../main/engine/log.ts';
import { askPhoto } from '../../main/engine/tune/lab/ask-photo.ts';
import { runLab } from '../../main/engine/tune/lab/lab-run.ts';
import { readTokens, type ReadTokens } from '../../main/engine/tune/lab/read-tokens.ts';
import { labHeadNames } from '../../main/engine/tune/lab/registry.ts';
import type { Scoring } from '../../main/engine/tune/lab/scores.ts';
import { studyCaptions } from '../../main/engine/tune/lab/study-figures.ts';
import type { LabPairs } from '../../main/engine/tune/lab/tokens.ts';
import { drawnOrder, randomOf } from '../../main/engine/tune/seeded.ts';
import { report, say } from './report.ts';
import { openEmbedder, spawn, starterPack } from './rooms.ts';
import { findData, readRows, readTar } from './starter-data.ts';

const { values: asked } = parseArgs({
  options: {
    scoring: { type: 'string', default: 'pairs' },
    tokens: { type: 'string', default: 'all' },
    heads: { type: 'string', default: labHeadNames.join(',') },
    limit: { type: 'string', default: '600' },
    epochs: { type: 'string', default: '5' },
    batch: { type: 'string' },
    rate: { type: 'string', default: '1e-4' },
    seeds: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    /** Where rows are kept. */
    keep: { type: 'string', default: join(tmpdir(), 'afterimage-bench-cache', 'lab-rows.jsonl') },
  },
});

interface KeptRow {
  readonly run: string;
  readonly seed: number;
  readonly row: LabRow;
}

const data = findData();
if (data !== undefined) await study(data);

async function study(folder: string): Promise<void> {
  const rows = readRows(folder).filter(({ source }) => source === 'coco_captions');
  const captions = rows.flatMap((row) => row.captions ?? []);
  const { tokens } = await tokensOf(folder);
  const all = [...rows.keys()];
  const split = (wanted: 'train' | 'val'): number[] => all.filter((i) => rows[i]?.split === wanted);
  const pairs = (places: readonly number[]): LabPairs => ({ photos: places, captions: places });
  const scoring: Scoring = asked.scoring === 'study' ? 'study' : 'pairs';
  const batch = Number(asked.batch ?? (scoring === 'study' ? 32 : 8));
  const heads = labHeadNames.filter((name) => asked.heads.split(',').includes(name));
  const setting = {
    scoring,
    tokens: asked.tokens,
    limit: Number(asked.limit),
    epochs: Number(asked.epochs),
    batch,
    rate: Number(asked.rate),
  };
  const run = JSON.stringify(setting);
  const kept = existsSync(asked.keep)
    ? readFileSync(asked.keep, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as KeptRow)
    : [];
  mkdirSync(join(asked.keep, '..'), { recursive: true });
  const done: KeptRow[] = [];
  const heldOut = pairs(split('val'));
  const question = askPhoto(
    heldOut,
    captions,
    studyCaptions.map((_, i) => captions.length + i),
    { wanted: undefined, seed: 1 },
  );
  for (const seed of asked.seeds.split(',').map(Number)) {
    const train = split('train');
    const drawn = [...drawnOrder(train.length, randomOf(seed, 'sample'))]
      .slice(0, setting.limit)
      .map((place) => train[place] ?? 0);
    for (const head of heads) {
      let found = kept.find((old) => old.run === run && old.seed === seed && old.row.head === head);
      if (found === undefined) {
        const [row] = await runLab(
          {
            heads: [head],
            tokens,
            pooled: asked.tokens === 'mean',
            train: pairs(drawn),
            heldOut,
            asked: question,
            budget: {
              epochs: setting.epochs,
              batch,
              learningRate: setting.rate,
              seed,
              scoring,
              threads: Number(asked.threads),
            },
          },
          { now: () => performance.now() },
        );
        if (row === undefined) continue;
        found = { run, seed, row };
        appendFileSync(asked.keep, `${JSON.stringify(found)}\n`);
      }
      done.push(found);
      say(lineOf(found));
    }
  }
  report(
    'lab',
    {
      ...setting,
      train: Math.min(setting.limit, split('train').length),
      heldOut: heldOut.photos.length,
      photo: rows[question.photo]?.file,
      captions: question.captions.map((row) => captions[row] ?? studyCaptions[row - captions.length]),
      right: question.right,
      rows: done.map(({ seed, row }) => ({ seed, ...row })),
    },
    [],
  );
}

function lineOf({ seed, row }: KeptRow): string {
  const { retrieval, evidence, loss } = row;
  const share = (value: number): string => value.toFixed(3);
  return [
    `${row.head} (seed ${String(seed)})`.padEnd(26),
    row.trained ? 'trained' : '-      ',
    `R ${share(retrieval.r1)} ${share(retrieval.r5)} ${share(retrieval.r10)}`,
    `1of5 ${share(row.bestOfFive)}`,
    `loss ${share(loss.first)} ${share(loss.last)} ${share(loss.heldOut)}`,
    `[${row.similarities.map((value) => value.toFixed(2)).join(' ')}]`,
    `shortcut ${share(evidence.shortcut)}`,
    `${row.seconds.toFixed(0)} s`,
  ].join('  ');
}

/** Kept between runs in the temporary folder: reading them takes longer than training a small head. */
async function tokensOf(folder: string): Promise<Pick<ReadTokens, 'tokens'>> {
  const rows = readRows(folder).filter(({ source }) => source === 'coco_captions');
  const embedder = await openEmbedder(starterPack);
  const path = join(tmpdir(), 'afterimage-bench-cache', `lab-tokens-${embedder.fingerprint}`);
  const decoder = createDecoder({ spawn, log: silentLog });
  try {
    const sizes = { dims: embedder.dims, imageTokens: 36 };
    const floats = (part: string): Float32Array =>
      new Float32Array(new Uint8Array(readFileSync(`${path}.${part}`)).buffer);
    if (existsSync(`${path}.mask`)) {
      const [images, texts, mask] = [floats('images'), floats('texts'), floats('mask')];
      const count = rows.length + studyCaptions.length;
      return { tokens: { ...sizes, textTokens: mask.length / count, images, texts, mask } };
    }
    const tar = readTar(folder, 'coco_captions');
    const read = await readTokens(
      rows.map(({ file, captions = [] }) => ({
        source: { bytes: tar.get(file) ?? new Uint8Array(0), name: file },
        captions,
      })),
      studyCaptions,
      { embedder, decoder },
    );
    if (read.read.length !== rows.length || read.photoOf.length !== rows.length)
      throw new Error('The data is not as it was: each photo has one caption and can be read.');
    mkdirSync(join(path, '..'), { recursive: true });
    for (const part of ['images', 'texts', 'mask'] as const) {
      writeFileSync(`${path}.${part}.part`, new Uint8Array(read.tokens[part].buffer));
      renameSync(`${path}.${part}.part`, `${path}.${part}`);
    }
    return read;
  } finally {
    await Promise.all([decoder.close(), embedder.close()]);
  }
}
