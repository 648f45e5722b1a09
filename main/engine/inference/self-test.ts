/** Compares what a pack gives here with what its makers got: golden pictures and texts by cosine. */
import type { Provider, SelfTest } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { verifyPack } from '../packs/pack.ts';
import { chooseProvider, type ChosenProvider } from './choose-provider.ts';
import { goldenBatch } from './golden-batch.ts';
import { textTower, type TextTowerClient, type TowerOptions } from './towers.ts';
import { cosine } from './unit-vectors.ts';

/** Exported weights against the maker's run of the same weights; half precision loses more. */
const goldenAgreement = { single: 0.999, half: 0.99 };

export interface SelfTestOptions extends TowerOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly provider?: 'auto' | Provider | undefined;
}

/**
 * Checks the towers that are already loaded.
 * @returns `passed: false` with a sentence for each golden example that comes out differently.
 */
export async function testTowers(
  options: SelfTestOptions,
  chosen: ChosenProvider,
  text: TextTowerClient,
): Promise<SelfTest> {
  const { pack } = options;
  const limit = pack.halfPrecision ? goldenAgreement.half : goldenAgreement.single;
  const messages = Object.values(chosen.notes);
  const cosines = chosen.minCosine === null ? [] : [chosen.minCosine];
  let passed = true;
  const expectAgreement = (what: string, found: ArrayLike<number>, expected: ArrayLike<number>): void => {
    const agreement = cosine(found, expected);
    cosines.push(agreement);
    if (agreement >= limit) return;
    passed = false;
    messages.push(
      `${what} comes out differently here than for the pack's makers (cosine ${agreement.toFixed(4)}, at least ${String(limit)} is expected). Install the pack again.`,
    );
  };

  const { images, texts } = pack.golden;
  // Without golden pictures the model is still run once: shapes and numbers must be right.
  if (images.length === 0) await chosen.tower.embed(goldenBatch(pack.imageSpec, 1));
  const pictures = await chosen.tower.embedFiles(images.map(({ file }) => file));
  for (const [i, { embedding }] of images.entries()) {
    expectAgreement(`Golden picture ${String(i + 1)}`, pictures[i] ?? [], embedding);
  }
  const encoded = await text.encode(texts.length === 0 ? ['a photo'] : texts.map((example) => example.text));
  for (const [i, example] of texts.entries()) {
    if (example.ids !== null && example.ids.join() !== encoded.ids[i]?.join()) {
      passed = false;
      messages.push(`The tokenizer splits "${example.text}" in another way than the pack's makers did.`);
    }
    expectAgreement(`The text "${example.text}"`, encoded.vectors[i] ?? [], example.embedding);
  }
  return {
    at: options.now(),
    passed,
    provider: chosen.tower.provider,
    minCosine: cosines.length === 0 ? null : Math.min(...cosines),
    messages,
  };
}

/**
 * For `packs.verify`: hashes every file, then loads the pack in processes of its own and tests it.
 * @returns `passed: false` with the reason in words when the pack is damaged or unfit.
 * @throws AppError cancelled
 */
export async function selfTestPack(
  options: SelfTestOptions & { readonly signal?: AbortSignal | undefined },
): Promise<SelfTest> {
  const text = textTower(options);
  let chosen: ChosenProvider | undefined;
  try {
    await verifyPack(options.pack, options.signal === undefined ? {} : { signal: options.signal });
    chosen = await chooseProvider(options, options.provider ?? 'auto');
    options.signal?.throwIfAborted();
    return await testTowers(options, chosen, text);
  } catch (thrown) {
    const error = AppError.from(thrown, `Testing the model pack "${options.pack.name}"`);
    if (error.code === 'cancelled') throw error;
    return {
      at: options.now(),
      passed: false,
      provider: chosen?.tower.provider ?? 'cpu',
      minCosine: null,
      messages: [error.message],
    };
  } finally {
    await Promise.all([text.close(), chosen?.tower.close()]);
  }
}
