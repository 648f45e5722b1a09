/**
 * The arrows between the rooms, as docs/architecture.md draws them. `may` lists, for each room, the only
 * rooms of ours that its files import; anything else fails `npm run check`.
 */
const rooms = {
  errors: '^main/errors\\.ts$',
  contract: '^main/contract(-shapes|-tuning)?\\.ts$',
  log: '^main/engine/log\\.ts$',
  store: '^main/engine/store/',
  packs: '^main/engine/packs/',
  inference: '^main/engine/inference/',
  index: '^main/engine/index/',
  library: '^main/engine/library/',
  search: '^main/engine/search/',
  describe: '^main/engine/describe/',
  tune: '^main/engine/tune/',
  engine: '^main/engine/[^/]+\\.ts$',
  host: '^main/host/',
  electron: '^main/shell/electron/',
  web: '^main/shell/web/',
  cli: '^main/shell/cli/',
  shell: '^main/shell/[^/]+\\.ts$',
  renderer: '^renderer/',
};
const base = ['errors', 'contract', 'log'];
const may = {
  errors: [],
  contract: ['errors'],
  log: [],
  store: [...base],
  packs: [...base],
  inference: [...base, 'store', 'packs'],
  index: [...base, 'store'],
  library: [...base, 'store', 'inference'],
  search: [...base, 'store', 'index', 'inference'],
  describe: [...base, 'store', 'inference'],
  tune: [...base, 'store', 'inference'],
  engine: [
    ...base,
    'store',
    'packs',
    'inference',
    'index',
    'library',
    'search',
    'describe',
    'tune',
    'engine',
  ],
  host: [...base, 'engine'],
  electron: [...base, 'host', 'shell'],
  web: [...base, 'host', 'shell'],
  cli: [...base, 'host', 'web', 'shell'],
  shell: [...base, 'host', 'electron', 'web', 'cli'],
  renderer: ['contract', 'errors'],
};

const arrows = Object.entries(may).map(([room, targets]) => ({
  name: `${room}-imports-only-${targets.length === 0 ? 'nothing' : targets.join('-')}`,
  severity: 'error',
  // engine/log.ts is a leaf although it lies beside engine.ts.
  from: { path: rooms[room], ...(room === 'engine' ? { pathNot: rooms.log } : {}) },
  to: { path: '^(main|renderer)/', pathNot: [rooms[room], ...targets.map((target) => rooms[target])] },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'only-the-electron-shell-knows-electron',
      comment: 'requiring electron fetches its binary, and the engine runs where there is none',
      severity: 'error',
      from: { pathNot: rooms.electron },
      to: { path: 'node_modules/electron/|^electron$' },
    },
    {
      name: 'only-the-store-knows-sqlite',
      severity: 'error',
      from: { pathNot: rooms.store },
      to: { path: 'node_modules/better-sqlite3/' },
    },
    {
      name: 'renderer-takes-types-only',
      comment: 'the contract is parsed on the other side; its code and zod stay out of the page',
      severity: 'error',
      from: { path: rooms.renderer },
      to: { path: '^main/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^(main|renderer)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^renderer/dist' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cts', '.svelte.ts', '.svelte'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
