/** What each head of the lab is, in a sentence for its list. */
import type { LabHeadName } from './registry.ts';

export const headDescriptions: Readonly<Record<LabHeadName, string>> = {
  v0: 'Each side attends to the other by plain products; no parameters.',
  v1: 'One attention matrix for both ways, used as it is and transposed.',
  v2: 'v1 after a layer norm.',
  v3: 'v2 with the inputs added to what comes out.',
  v4: 'v2 with a projection for each side after the norm.',
  v5: 'v2 mixed half and half with its inputs.',
  v6: 'One shared attention matrix from projections to queries, keys and values.',
  v7: 'v6 with several heads and a norm behind.',
  v8: 'Attention of several heads each way, norms before and behind.',
  v9: 'v8 with a gated network behind, dropout, and a residual round the network only.',
  v10_1: 'v9 with queries, keys and values of their own for each side.',
  v10_2: 'v9 whose gates let a tenth of what was attended into the original.',
  v10_3: 'v9 with each side’s mean added to its tokens before attention.',
  v10_4: 'v9 with one key and value for all heads (multi-query).',
  v10_5: 'v9 at three levels, mixed by learnt weights.',
  v10_6: 'v9 with contrastive similarities added to the features.',
  v11: 'v10_4 and v10_5 together.',
  'co-attention': 'The words ask and the photo answers: one head, one way.',
  hierarchical: 'Each side attends to itself, then to the other; both results joined.',
  perceiver: 'Sixteen learnt latents read all tokens and are asked by both sides; cost linear in tokens.',
  'two-stream': 'A stream for each side with layers across (ViLBERT, LXMERT).',
  'single-stream': 'All tokens of both sides through one Transformer (VisualBERT, ViLT).',
  'gated-fusion': 'A gate decides, number by number, between a token and the other side’s mean.',
  'bilinear-fusion': 'Low-rank products of each token with the other side’s mean, added to it.',
};
