/** Which execution providers this machine may have, in the order they are tried. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Provider, ProviderState } from '../../contract.ts';
import { providerNames } from './provider-names.ts';

const order: readonly Provider[] = ['cuda', 'webgpu', 'dml', 'coreml', 'cpu'];

/** What onnxruntime-node's prebuilt binaries carry for each system; CUDA's library is a download of its own. */
const builtIn: Readonly<Record<string, readonly Provider[]>> = {
  'linux-x64': ['webgpu', 'cpu'],
  'linux-arm64': ['cpu'],
  'win32-x64': ['webgpu', 'dml', 'cpu'],
  'win32-arm64': ['webgpu', 'dml', 'cpu'],
  'darwin-arm64': ['webgpu', 'coreml', 'cpu'],
};

/** Worth trying here, best first; whether a graphics card answers is only known when a session is made. */
export function candidateProviders(): Provider[] {
  const platform = `${process.platform}-${process.arch}`;
  const here = new Set<Provider>(builtIn[platform] ?? ['cpu']);
  if (hasCudaLibrary()) here.add('cuda');
  return order.filter((name) => here.has(name));
}

function hasCudaLibrary(): boolean {
  const library = { linux: 'libonnxruntime_providers_cuda.so', win32: 'onnxruntime_providers_cuda.dll' };
  const name =
    process.platform === 'linux' || process.platform === 'win32' ? library[process.platform] : null;
  if (name === null) return false;
  const root = dirname(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')));
  return existsSync(join(root, 'bin/napi-v6', process.platform, process.arch, name));
}

/**
 * For the models page.
 * @param active what the loaded pack runs on, null while none is loaded.
 * @param notes what the self-test said of providers that were tried and refused.
 */
export function listProviders(
  chosen: 'auto' | Provider,
  active: Provider | null,
  notes: Readonly<Partial<Record<Provider, string>>> = {},
): ProviderState[] {
  const candidates = candidateProviders();
  return order.map((name) => {
    const present = candidates.includes(name);
    const message =
      active === name
        ? 'In use.'
        : !present
          ? `This build has no ${providerNames[name]} for this system.`
          : (notes[name] ?? (name === 'cpu' ? 'Always there.' : 'Tried when a model is loaded.'));
    return {
      name,
      available: present && notes[name] === undefined,
      chosen: chosen === name,
      message,
    };
  });
}
