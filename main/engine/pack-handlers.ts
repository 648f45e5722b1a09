/** Calls about model packs and the providers they run on. */
import { AppError } from '../errors.ts';
import type { Pack, PackProgress } from '../contract.ts';
import type { Rooms } from './rooms.ts';
import type { CallContext, Handlers } from './types.ts';

type PackCalls =
  | 'packs.list'
  | 'packs.install'
  | 'packs.installFolder'
  | 'packs.use'
  | 'packs.verify'
  | 'packs.remove'
  | 'providers.list';

type PackContext = Pick<CallContext<'packs.install'>, 'signal' | 'progress'>;

const progressEveryMs = 200;

export function packHandlers(rooms: Rooms): Pick<Handlers, PackCalls> {
  const { packs, packSwitch, language, grants, bus } = rooms;
  /** Progress goes to the caller and, since it may take long, to every other client too. */
  const following = async <T>(
    context: PackContext,
    work: (context: PackContext) => Promise<T>,
  ): Promise<T> => {
    const progress = (step: PackProgress): void => {
      context.progress(step);
      bus.emitThinned('packs', progressEveryMs, () => step);
    };
    try {
      return await work({ signal: context.signal, progress });
    } finally {
      bus.emitThinned('packs', progressEveryMs, () => null);
    }
  };
  const find = async (packId: string): Promise<Pack> => {
    const pack = (await packs.list()).find(({ id }) => id === packId);
    if (pack !== undefined) return pack;
    throw new AppError('pack-missing', `There is no model pack called ${packId}. Choose one of the list.`, {
      details: { packId },
    });
  };
  return {
    'packs.list': async () => ({ packs: await packs.list() }),
    'packs.install': ({ packId }, context) =>
      following(context, async ({ signal, progress }) => {
        await find(packId);
        await packs.install(packId, { signal, onProgress: progress });
        return { pack: await find(packId) };
      }),
    'packs.installFolder': ({ grant }, context) =>
      following(context, async ({ signal, progress }) => {
        const packId = await packs.installFolder(grants.path(grant), { signal, onProgress: progress });
        return { pack: await find(packId) };
      }),
    'packs.use': ({ packId }, context) =>
      following(context, async ({ signal, progress }) => {
        const pack = await find(packId);
        if (!pack.installed)
          throw new AppError('pack-missing', `${pack.name} is not installed yet. Install it, then use it.`, {
            details: { packId },
          });
        if (pack.tasks.includes('embed')) {
          await packSwitch.use(packId, { signal, onProgress: progress });
          bus.emit('library', {
            generation: rooms.store.embeddings.generation(),
            photos: rooms.store.photos.counts().indexed,
          });
          rooms.tags.changed();
          rooms.albums.changed();
        } else {
          await packs.readable(packId);
          if (pack.selfTest?.passed === false)
            throw new AppError(
              'pack-unfit',
              pack.selfTest.messages[0] ?? `${pack.name} failed its self-test.`,
              {
                details: { packId },
              },
            );
          language.choose(pack);
          rooms.describing.background.changed();
        }
        return { pack: await find(packId) };
      }),
    'packs.verify': async ({ packId }) => ({ selfTest: await packs.verify(packId) }),
    'packs.remove': async ({ packId }) => {
      const pack = await find(packId);
      if (pack.active.length > 0)
        throw new AppError(
          'input-invalid',
          `${pack.name} is in use. Choose another model first, then remove it.`,
        );
      await packs.remove(packId);
      language.forget([packId]);
      return {};
    },
    'providers.list': () => ({ providers: packs.providers() }),
  };
}
