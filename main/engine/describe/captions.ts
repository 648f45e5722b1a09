/** Captions of single photos: shown from what is kept, written by a model on request, set by hand. */
import type { CallOutput, Caption, ParsedInput } from '../../contract.ts';
import type { LanguageModel } from '../inference/language/types.ts';
import type { CaptionRow } from '../store/types.ts';
import { knownPhoto, lookAt } from './look-at-photo.ts';
import type { DescribeOptions, Listening } from './types.ts';

export interface Captions {
  /**
   * Captions that go on from a prompt are shown, not kept. `again` replaces a caption by hand, unless the model has
   * nothing to say.
   * @throws AppError not-found, root-offline, image-*, file-*, input-invalid (prompt), pack-missing, cancelled
   */
  make(input: ParsedInput<'captions.make'>, listening: Listening): Promise<CallOutput<'captions.make'>>;
  /** @throws AppError not-found */
  set(input: ParsedInput<'captions.set'>): CallOutput<'captions.set'>;
  of(input: ParsedInput<'captions.of'>): CallOutput<'captions.of'>;
}

export function createCaptions(options: DescribeOptions): Captions {
  const { store, now, courtesy } = options;

  const write = async (
    model: LanguageModel,
    photoId: number,
    prompt: string | undefined,
    { signal, onText }: Listening,
  ): Promise<Caption> => {
    const { seen, current } = await lookAt(options, photoId, (path) =>
      courtesy.urgent(() => model.caption({ path }, { prompt, signal, onText })),
    );
    const { text, sure, confidence } = seen;
    const { packId, fingerprint } = model;
    const at = now();
    if (prompt === undefined && current && !store.readOnly) {
      store.captions.putModel([{ photoId, packId, fingerprint, text, sure, confidence, at }]);
      if (sure && store.captions.get(photoId)?.by === 'hand') store.captions.setHand(photoId, '', at);
      options.onDescribed([photoId]);
    }
    return { text, by: 'model', sure, confidence, packId, at };
  };

  return {
    async make({ photoId, prompt: given, again }, listening) {
      const prompt = given?.trim() === '' ? undefined : given;
      const { path } = knownPhoto(store, photoId);
      const startedAt = now();
      const keeps = prompt === undefined && !again;
      const shown = keeps ? store.captions.get(photoId) : undefined;
      if (shown?.by === 'hand')
        return { path, caption: captionOf(shown), pack: null, cached: true, seconds: 0 };
      return options.useModel('caption', async (model) => {
        const pack = { id: model.packId, name: model.name };
        const kept = keeps ? store.captions.ofModel(photoId, model.fingerprint) : undefined;
        if (kept !== undefined) return { path, caption: captionOf(kept), pack, cached: true, seconds: 0 };
        const caption = await write(model, photoId, prompt, listening);
        return { path, caption, pack, cached: false, seconds: (now() - startedAt) / 1_000 };
      });
    },
    set({ photoId, text }) {
      store.captions.setHand(photoId, text.replace(/\s+/gu, ' ').trim(), now());
      options.onDescribed([photoId]);
      const shown = store.captions.get(photoId);
      return { caption: shown === undefined ? null : captionOf(shown) };
    },
    of({ photoIds }) {
      const rows = store.captions.getMany(photoIds);
      return {
        captions: photoIds.flatMap((photoId) => {
          const text = rows.get(photoId)?.text ?? '';
          return text === '' ? [] : [{ photoId, text }];
        }),
      };
    },
  };
}

/** A stored caption as clients see it. */
export function captionOf({ text, by, sure, confidence, packId, at }: CaptionRow): Caption {
  return { text, by, sure, confidence, packId, at };
}
