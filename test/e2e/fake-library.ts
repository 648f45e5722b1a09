/** A made-up library for looking at the page: any number of photos, with dates, shapes and search results. */
import type {
  CallOutput,
  Chip,
  Hit,
  LibraryStatus,
  Pack,
  PhotoDetail,
  PhotoFailure,
  Root,
} from '../../main/contract.ts';

export interface FakeOptions {
  readonly photos: number;
  readonly failures?: number;
  readonly roots?: readonly Root[];
  readonly model?: boolean;
  readonly duplicates?: number;
  /** Photos of the second half of the library lie on a drive that is not connected. */
  readonly offline?: boolean;
}

const shapes: readonly (readonly [number, number])[] = [
  [4032, 3024],
  [3024, 4032],
  [6000, 4000],
  [4000, 6000],
  [3000, 3000],
  [1920, 1080],
  [4032, 3024],
  [6000, 4000],
];
const day = 86_400_000;
const newest = Date.UTC(2026, 5, 14, 17, 32);

/** A well mixed 32-bit number for a photo, the same in every run. */
export function mix(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}

export function sizeOf(id: number): { width: number; height: number } {
  // One in five hundred is a panorama, one a very tall strip.
  if (id % 500 === 37) return { width: 9000, height: 1200 };
  if (id % 500 === 311) return { width: 900, height: 7000 };
  const [width, height] = shapes[mix(id) % shapes.length] ?? [1, 1];
  return { width, height };
}

export class FakeLibrary {
  readonly options: FakeOptions;
  generation = 1;
  /** Another program writes to it. */
  readOnly = false;
  count: number;
  roots: Root[];
  failures: PhotoFailure[];

  constructor(options: FakeOptions) {
    this.options = options;
    this.count = options.photos;
    this.roots =
      options.roots === undefined
        ? options.photos === 0
          ? []
          : [
              root(1, '/home/ada/Pictures', options.photos, options.failures ?? 0),
              ...(options.offline === true
                ? [{ ...root(2, '/media/ada/Camera Archive', 1_204, 0), state: 'offline' as const }]
                : []),
            ]
        : [...options.roots];
    this.failures = makeFailures(options.failures ?? 0);
  }

  /** Photos spread over years, thicker in summers and on a few trips. */
  takenAt(index: number): number {
    const share = index / Math.max(1, Math.max(this.count, 1_000));
    const wave = Math.sin(share * 90) * 12 * day;
    return newest - share * 14 * 365.25 * day - wave;
  }

  timeline(): CallOutput<'photos.timeline'> {
    const order = Array.from({ length: this.count }, (_, i) => i).sort(
      (a, b) => this.takenAt(b) - this.takenAt(a),
    );
    const months: { month: string; count: number }[] = [];
    for (const index of order) {
      const month = new Date(this.takenAt(index)).toISOString().slice(0, 7);
      const last = months.at(-1);
      if (last?.month === month) last.count++;
      else months.push({ month, count: 1 });
    }
    const ids = order.map((index) => index + 1);
    const aspects = ids.map((id) => {
      const { width, height } = sizeOf(id);
      return Math.round((width / height) * 100);
    });
    return { generation: this.generation, ids, aspects, months };
  }

  detail(id: number): PhotoDetail {
    const { width, height } = sizeOf(id);
    const folder = `/home/ada/Pictures/${new Date(this.takenAt(id - 1)).getUTCFullYear()}/Summer by the lake`;
    return {
      id,
      name: nameOf(id),
      width,
      height,
      takenAt: this.takenAt(id - 1),
      path: `${folder}/${nameOf(id)}`,
      folder,
      rootId: 1,
      rootState: this.isOffline(id) ? 'offline' : 'online',
      bytes: 1_800_000 + (mix(id) % 6_000_000),
      format: 'jpeg',
      status: 'indexed',
      takenAtSource: id % 7 === 0 ? 'file' : 'exif',
      camera: 'FUJIFILM X-T5',
      lens: 'XF 23mm F1.4 R LM WR',
      exposure: { seconds: 1 / 250, fNumber: 5.6, iso: 400, focalLengthMm: 23 },
      gps: { latitude: 45.9766, longitude: 9.2572 },
      copies: id % 5 === 0 ? [{ id: id + 1, path: `/home/ada/Pictures/Backup/${nameOf(id)}` }] : [],
      caption: null,
      tags: [],
      albums: [],
      error: null,
    };
  }

  /** @param found ids that words lead to; they go first. */
  search(
    text: string,
    examples: number,
    offset: number,
    limit: number,
    found: readonly number[] = [],
  ): CallOutput<'search.query'> {
    const chips = parse(text);
    const free = chips.some((chip) => chip.kind === 'text') || examples > 0;
    const thin = text.includes('submarine');
    const none = text.includes('before:1900');
    const total = none ? 0 : this.count;
    const strong = !free || thin ? 0 : Math.min(total, 14);
    const likely = !free || thin ? 0 : Math.min(total - strong, 46);
    const hits: Hit[] = [];
    // A prime stride visits every photo once.
    const looks = Array.from(
      { length: total },
      (_, rank) => 1 + ((rank * 7_919 + mix(text.length + examples)) % Math.max(1, this.count)),
    );
    const order = found.length === 0 ? looks : [...found, ...looks.filter((id) => !found.includes(id))];
    for (let rank = offset; rank < Math.min(total, offset + limit); rank++) {
      const id = order[rank] ?? 1;
      hits.push({
        id,
        name: nameOf(id),
        ...sizeOf(id),
        takenAt: this.takenAt(id - 1),
        path: `/home/ada/Pictures/${nameOf(id)}`,
        rootId: 1,
        offline: this.isOffline(id),
        score: 0.31 - rank / 10_000,
        band: rank < strong ? 'strong' : rank < strong + likely ? 'likely' : 'weak',
        foundBy: rank < found.length ? 'words' : 'looks',
        copies: 0,
      });
    }
    return {
      query: text,
      chips,
      total,
      bands: { strong, likely, weak: total - strong - likely },
      thin,
      hits,
      timings: { encodeMs: 14.2, searchMs: 3.6 },
      plan: free ? 'hnsw' : 'filter-only',
    };
  }

  status(pack: Pack): LibraryStatus {
    return {
      path: '/home/ada/.local/share/afterimage',
      roots: this.roots,
      photos: this.count + this.failures.length,
      indexed: this.count,
      failed: this.failures.length,
      pending: 0,
      generation: this.generation,
      activePack: this.options.model === false ? null : pack,
      provider: 'cpu',
      activeRun: null,
      index: { kind: 'hnsw', size: this.count, building: false },
      bytes: { library: 41_000_000, thumbnails: 312_000_000, packs: 23_800_000 },
      captions: { total: this.count, captioned: 0 },
      readOnly: this.readOnly,
    };
  }

  duplicates(offset: number, limit: number): CallOutput<'photos.duplicates'> {
    const total = this.options.duplicates ?? 0;
    const groups = Array.from({ length: Math.min(limit, Math.max(0, total - offset)) }, (_, at) => {
      const id = (offset + at) * 5 + 5;
      const copies = at % 4 === 1 ? 3 : 2;
      return {
        photos: Array.from({ length: copies }, (_, copy) => ({
          id: id + copy * 100_000,
          name: nameOf(id),
          ...sizeOf(id),
          takenAt: this.takenAt(id - 1),
          path: `/home/ada/Pictures/${['2024/Lake', 'Backup/Old phone', 'To sort'][copy] ?? ''}/${nameOf(id)}`,
        })),
      };
    });
    return { total, groups };
  }

  private isOffline(id: number): boolean {
    return this.options.offline === true && id > this.count / 2;
  }
}

export function root(id: number, path: string, photos: number, failed: number): Root {
  const name = path.split('/').at(-1) ?? path;
  return { id, path, name, state: 'online', photos, failed, lastScanAt: Date.now() - 240_000 };
}

function nameOf(id: number): string {
  return `DSC_${String((id * 7) % 10_000).padStart(4, '0')}.JPG`;
}

function makeFailures(count: number): PhotoFailure[] {
  const kinds = [
    ['image-broken', 'IMG_2291 (1).jpg'],
    ['image-unsupported', 'scan-of-grandmother.psd'],
    ['image-too-large', 'panorama-stitched-final-version-2.tiff'],
    ['permission-denied', 'IMG_0007.HEIC'],
    ['image-timeout', 'star-trails.avif'],
    ['photo-quarantined', '照片 2019.jpg'],
  ] as const;
  return Array.from({ length: count }, (_, at) => {
    const [code, name] = kinds[at % kinds.length] ?? kinds[0];
    return {
      photoId: 900_000 + at,
      path: `/home/ada/Pictures/2019/${name}`,
      code,
      message: `${name} could not be read.`,
    };
  });
}

/** Just enough of the query language to see chips. */
export function parse(text: string): Chip[] {
  const chips: Chip[] = [];
  for (const match of text.matchAll(/(?:[a-z]+:)?"[^"]*"|\S+/g)) {
    const [word] = match;
    const span: [number, number] = [match.index, match.index + word.length];
    const filter = /^(in|after|before|camera|type|is|album|tag):(.*)$/.exec(word);
    const kind = filter?.[1] as Chip['kind'] | undefined;
    const value = filter?.[2] ?? word;
    if (kind !== undefined) {
      const dated = kind === 'after' || kind === 'before';
      const problem = dated && !/^\d{4}(-\d\d){0,2}$/.test(value) ? 'not a date' : null;
      chips.push({ kind, value, weight: 1, span, problem });
    } else if (word.startsWith('-') && word.length > 1) {
      chips.push({ kind: 'without', value: word.slice(1), weight: -1, span, problem: null });
    } else if (word.startsWith('"')) {
      chips.push({ kind: 'phrase', value: word.slice(1, -1), weight: 1, span, problem: null });
    } else chips.push({ kind: 'text', value: word, weight: 1, span, problem: null });
  }
  return chips;
}
