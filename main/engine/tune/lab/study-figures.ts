/** What the study that the lab follows reported: five similarities of a photo of a cat, and whether a head had trained. */
import type { LabHeadName } from './registry.ts';

/** The captions that the study offered for its photo of a cat; the second is right. */
export const studyCaptions = [
  'A dog playing in the park',
  'A cat sleeping on a couch',
  'Children playing soccer',
  'A sunset over the ocean',
  'A person cooking in the kitchen',
] as const;
export const studyRightCaption = 1;

interface StudyFigures {
  /** Of the photo with each of `studyCaptions`, times the learnt scale. */
  readonly similarities: readonly number[];
  readonly trained: boolean;
}

const yes = (...similarities: number[]): StudyFigures => ({ similarities, trained: true });
const no = (...similarities: number[]): StudyFigures => ({ similarities, trained: false });
const five = (same: number): number[] => [same, same, same, same, same];

/** Flickr8k, ResNet and BERT pooled to one token each, 5 epochs at 1e-4. It had none of the other heads. */
export const studyFigures: Readonly<Partial<Record<LabHeadName, StudyFigures>>> = {
  v0: yes(5.322, 15.477, -4.509, -6.609, 2.107),
  v1: yes(3.117, 18.174, -6.475, -1.825, 8.705),
  v2: yes(3.085, 12.541, -4.252, 0.924, 6.849),
  v3: no(...five(34.882)),
  v4: yes(7.385, 8.301, -1.038, -6.262, 1.24),
  v5: no(...five(27.357)),
  v6: yes(5.022, 14.861, -5.37, -8.63, 9.063),
  v7: no(...five(16.3)),
  v8: yes(9.841, 15.442, -7.35, -1.249, 11.023),
  v9: yes(10.382, 15.192, -5.582, -1.594, 5.953),
  v10_1: no(0.94, 0.472, -0.554, 0.334, -0.111),
  // Its table says that this one trained; five equal similarities say that it did not.
  v10_2: no(...five(17.72)),
  v10_3: yes(5.913, 10.334, -5.989, -1.024, 5.151),
  v10_4: yes(5.913, 10.334, -5.989, -1.024, 5.151),
  v10_5: yes(6.601, 9.99, -5.984, -2.988, -0.07),
  v10_6: no(33.967, 33.302, 31.58, 32.71, 31.384),
  v11: yes(11.315, 15.491, -10.428, -0.004, 10.014),
};
