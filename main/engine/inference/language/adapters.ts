/** Opens the adapter of a pack's family; only that family's code is loaded. */
import { AppError } from '../../../errors.ts';
import type { LanguageFamily } from '../../packs/types.ts';
import type { OpenAdapter } from './adapter.ts';

const families: Readonly<Partial<Record<LanguageFamily, () => Promise<OpenAdapter>>>> = {
  'starter-captioner': async () => (await import('./captioner.ts')).openStarterCaptioner,
  'starter-answerer': async () => (await import('./classifier.ts')).openStarterAnswerer,
  'blip-caption': async () => (await import('./captioner.ts')).openBlipCaptioner,
  'blip-vqa': async () => (await import('./blip-vqa.ts')).openBlipAnswerer,
  vilt: async () => (await import('./classifier.ts')).openVilt,
  'vit-gpt2': async () => (await import('./transformers-vit-gpt2.ts')).openVitGpt2,
  florence2: async () => (await import('./transformers-florence2.ts')).openFlorence2,
  smolvlm: async () => (await import('./transformers-smolvlm.ts')).openSmolVlm,
};

/** @throws AppError pack-invalid, not-supported */
export const openAdapter: OpenAdapter = async (pack, options) => {
  const load = families[pack.family];
  if (load === undefined) {
    throw new AppError(
      'not-supported',
      `"${pack.name}" is a ${pack.family} model, which this version does not run. Choose another pack.`,
      { details: { pack: pack.id } },
    );
  }
  return (await load())(pack, options);
};
