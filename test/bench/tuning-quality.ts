/**
 * What learning is worth with the shipped pack: a hidden rotation learnt back; names of one's own, taught by a few photos;
 * shuffled captions refused; and what to expect from how many pairs.
 * Run: npm run bench -- tuning-quality [rotation|names|refusal|curves ...]. Needs the data that the pack was trained on
 * (AFTERIMAGE_DATA); vectors are kept in the temporary folder.
 */
import { createProjection } from '../../main/engine/tune/projection.ts';
import type { TrainingPairs } from '../../main/engine/tune/train-head.ts';
import type { LearntHead } from '../../main/engine/tune/types.ts';
import { faded, openSchool, type School } from './tuning-school.ts';
import { judge, learnRotation, pairsOf, prove, saidOf, type Said } from './tuning-heads.ts';
import { openNamesLibrary, teachAndMeasure, zeroShot, type NamesFigures } from './tuning-names.ts';
import { seeded } from './photos.ts';
import { check, report, say, type Check } from './report.ts';
import { findData, type DataRow } from './starter-data.ts';

const threads = 2;
const parts = {
  rotation: measureRotation,
  names: measureNames,
  refusal: measureRefusal,
  curves: measureCurves,
} as const;
type Part = (school: School) => Promise<{ figures: unknown; checks: readonly Check[] }>;

async function measureRotation({ rows, photos, texts, dims }: School): ReturnType<Part> {
  const all = saidOf(rows, ({ split }) => split === 'train');
  const make = (said: readonly Said[]): TrainingPairs => pairsOf(said, photos, texts, dims);
  const settings = { epochs: 12, batch: 512, learningRate: 3e-3, threads };
  const found = await learnRotation(
    make(all.filter((_, i) => i % 20 !== 0)),
    make(all.filter((_, i) => i % 20 === 0)),
    make(saidOf(rows, ({ split }) => split === 'val')),
    settings,
  );
  return {
    figures: { pairs: all.length, settings, ...found },
    checks: [
      check(
        'R@10 with the rotation learnt back, less R@10 unrotated',
        found.learnt.r10 - found.unrotated.r10,
        {
          min: -0.03,
        },
      ),
    ],
  };
}

async function measureNames(school: School): ReturnType<Part> {
  const library = await openNamesLibrary(school.rows, school.photos, school.embedder);
  const zero = await zeroShot(library, school.rows);
  const taught: NamesFigures[] = [];
  for (const [photosEach, seeds] of [
    [1, 3],
    [2, 3],
    [3, 3],
    [6, 5],
    [12, 3],
    [30, 1],
  ] as const) {
    taught.push(await teachAndMeasure(library, school.rows, photosEach, seeds));
    say(`names: ${String(photosEach)} photos each`);
  }
  await library.close();
  const six = taught.find(({ photosEach }) => photosEach === 6);
  const all = taught.find(({ photosEach }) => photosEach === 30);
  return {
    figures: { names: 81, photos: school.rows.length, zeroShotTop1: zero, taught },
    checks: [
      check('top-1 among 81 names taught from all photos, over zero-shot', (all?.top1 ?? 0) - zero, {
        min: 0.15,
      }),
      check('top-1 taught from six photos a name, over zero-shot', (six?.top1 ?? 0) - zero, { min: 0.08 }),
      check('milliseconds on end that learning 81 names takes', all?.longestStallMs ?? NaN, { max: 30 }),
      check('queries without a name that a taught name changes', all?.generic.changed ?? NaN, { max: 0 }),
      check('generic R@10 lost beside 81 names', (all?.generic.before ?? 1) - (all?.generic.after ?? 0), {
        max: 0.005,
      }),
    ],
  };
}

/** Captions of other photos teach nothing, whatever the head. */
async function measureRefusal(school: School): ReturnType<Part> {
  const { rows, photos, texts, dims, replay, generic } = school;
  const said = saidOf(rows, ({ source }) => source === 'coco_captions');
  const runs: (Pick<LearntHead, 'head' | 'accepted' | 'gain' | 'reason'> & { readonly seed: number })[] = [];
  for (const head of ['cache', 'residual', 'linear', 'low-rank', 'mlp'] as const)
    for (const seed of [1, 2]) {
      const shuffled = drawn(said, seeded(seed)).map(({ text }, i) => ({ row: said[i]?.row ?? 0, text }));
      const learnt = await prove(pairsOf(shuffled, photos, texts, dims), replay, generic, {
        head,
        seed,
        threads,
      });
      runs.push({ head, seed, accepted: learnt.accepted, gain: learnt.gain, reason: learnt.reason });
    }
  const accepted = runs.filter((run) => run.accepted).length;
  return {
    figures: { pairs: said.length, runs },
    checks: [check('heads accepted that learnt from shuffled captions', accepted, { max: 0 })],
  };
}

interface Domain {
  readonly name: string;
  readonly photos: Float32Array;
  readonly said: readonly Said[];
}

interface CurveRun {
  readonly before: number;
  readonly after: number;
  readonly gain: LearntHead['gain'];
  readonly accepted: boolean;
  readonly share: number;
  readonly generic: number;
  readonly unseen: { readonly before: number; readonly after: number };
}

/** Photos of the domain that no run sees, to judge the heads by besides their own proof. */
const unseen = 400;

async function measureCurves(school: School): ReturnType<Part> {
  const { rows, texts, dims, replay, generic } = school;
  const captioned = ({ source }: DataRow): boolean => source === 'coco_captions' || source === 'viic_sports';
  const domains: Domain[] = [
    {
      name: 'own words: groceries by their brands',
      photos: school.photos,
      said: rows.flatMap(({ label_fine: text }, row) => (text === undefined ? [] : [{ row, text }])),
    },
    {
      name: 'other photos: faded slides, captioned',
      photos: await school.embedChanged(captioned, faded),
      said: saidOf(rows, captioned),
    },
  ];
  const curves = [];
  for (const { name, photos, said } of domains)
    for (const head of ['cache', 'mlp', 'residual'] as const)
      for (const pairs of [50, 100, 200, 500, 1_000, 2_000]) {
        if (pairs > said.length - unseen) continue;
        const runs: CurveRun[] = [];
        for (const seed of [1, 2, 3]) {
          const order = drawn(said, seeded(60 + seed));
          const make = (part: readonly Said[]): TrainingPairs => pairsOf(part, photos, texts, dims);
          const learnt = await prove(make(order.slice(unseen, unseen + pairs)), replay, generic, {
            head,
            seed,
            threads,
          });
          const projection = createProjection(learnt.head, dims, learnt.parameters);
          const others = make(order.slice(0, unseen));
          runs.push({
            before: learnt.before.r10,
            after: learnt.after.r10,
            gain: learnt.gain,
            accepted: learnt.accepted,
            share: learnt.share,
            generic: learnt.generic.after.r10 - learnt.generic.before.r10,
            unseen: {
              before: judge(others).r10,
              after: judge(others, (vector) => projection.project(vector)).r10,
            },
          });
        }
        const mean = (of: (run: CurveRun) => number): number =>
          runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
        curves.push({
          domain: name,
          head,
          pairs,
          accepted: runs.filter((run) => run.accepted).length,
          of: runs.length,
          proofGain: mean(({ before, after }) => after - before),
          unseenBefore: mean((run) => run.unseen.before),
          unseenAfter: mean((run) => run.unseen.after),
          runs,
        });
        const { accepted, unseenBefore, unseenAfter } = curves.at(-1) ?? {};
        say(
          `${name}, ${head}, ${String(pairs)} pairs: ${JSON.stringify({ accepted, unseenBefore, unseenAfter })}`,
        );
      }
  return { figures: { unseen, epochs: 20, curves }, checks: [] };
}

function drawn<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

const data = findData();
if (data !== undefined) {
  const wanted = process.argv.slice(2);
  const school = await openSchool(data);
  const figures: Record<string, unknown> = {};
  const checks: Check[] = [];
  for (const [name, measure] of Object.entries<Part>(parts)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    say(name);
    const measured = await measure(school);
    figures[name] = measured.figures;
    checks.push(...measured.checks);
  }
  await school.close();
  report('tuning-quality', figures, checks);
}
