/** What people call the execution providers. */
import type { Provider } from '../../contract.ts';

export const providerNames: Readonly<Record<Provider, string>> = {
  cuda: 'CUDA',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'CoreML',
  cpu: 'the CPU',
};
