/** `afterimage ask PHOTO QUESTION` and `afterimage ask-results QUERY QUESTION`. */
import type { Command } from 'commander';
import type { CallOutput } from '../../../contract.ts';
import type { CommandContext } from '../command-context.ts';
import { findLibraryPhoto } from '../photo-argument.ts';
import { createProgressLine } from '../progress-line.ts';
import type { Session } from '../session.ts';
import { createStreamedText } from '../streamed-text.ts';
import { table } from '../table.ts';

type ResultsAnswer = CallOutput<'ask.results'>;

export function addAskCommands(program: Command, context: CommandContext): void {
  program
    .command('ask')
    .summary('ask a question about a photo')
    .description('Answers a question about a photo of the library, with what else was considered.')
    .argument('<photo>', 'path of a photo of the library')
    .argument('<question...>', 'e.g. what colour is the car?')
    .option('--again', 'ask the model again, even where there is an answer')
    .action((path: string, words: string[], { again = false }: { again?: boolean }) =>
      context.run({ writes: 'where-it-may' }, (session) => ask(session, path, words.join(' '), again)),
    );
  program
    .command('ask-results')
    .summary('ask a question about what a search finds')
    .description(
      'Asks the best hits of a query, and says which photos speak for the answer and which against.',
    )
    .argument('<query>', 'as for search, in quotes if it has several words')
    .argument('<question...>', 'e.g. which of these have a dog on a lead?')
    .option('--limit <count>', 'how many hits are asked', context.parseCount(1, 500), 60)
    .action((query: string, words: string[], { limit }: { limit: number }) =>
      context.run({ writes: 'where-it-may' }, (session) =>
        askResults(session, query, words.join(' '), limit),
      ),
    );
}

async function ask(session: Session, path: string, question: string, again: boolean): Promise<void> {
  const { client, output, terminal, signal } = session;
  const photo = await findLibraryPhoto(session, path);
  const streamed = createStreamedText(terminal, output);
  const given = await client.call(
    'ask.photo',
    { photoId: photo.photoId, question, again },
    { signal, onProgress: ({ text }) => streamed.show(text) },
  );
  const { sure, confidence, answers, packId, cached, seconds } = given;
  const answer = sure ? given.answer : 'not sure';
  const isShown = streamed.end(answer);
  output.answer(
    {
      path: photo.path,
      question: given.question,
      answer,
      confidence,
      answers,
      sure,
      pack: packId,
      cached,
      seconds,
    },
    () => [
      ...(isShown ? [] : [sure ? answer : 'Not sure. What came to mind:']),
      ...(answers.length > 1 || !sure
        ? table(
            [{ align: 'right' }, {}],
            answers.map((each) => [`${(100 * each.probability).toFixed(0)} %`, each.answer]),
            undefined,
          )
        : []),
    ],
  );
}

async function askResults(session: Session, query: string, question: string, limit: number): Promise<void> {
  const { client, output, terminal, signal } = session;
  const line = createProgressLine(terminal, output.quiet);
  try {
    const result = await client.call(
      'ask.results',
      { text: query, question, limit },
      {
        signal,
        onProgress: ({ done, total, early }) =>
          line.show({
            label: 'Asking',
            done,
            total,
            rate: early.answer === '' ? undefined : early.answer,
            secondsLeft: null,
          }),
      },
    );
    line.end();
    output.answer(
      {
        query,
        ...result,
        supporting: result.supporting.map(evidence),
        opposing: result.opposing.map(evidence),
        unsure: result.unsure.map(evidence),
      },
      () => describe(result, terminal.stdoutColumns),
    );
  } finally {
    line.end();
  }
}

function evidence({ photo, answer, confidence }: ResultsAnswer['supporting'][number]): object {
  const { id, path, score, band } = photo;
  return { id, path, score, band, answer, confidence };
}

function describe(result: ResultsAnswer, width: number | undefined): string[] {
  const { answer, supporting, opposing, unsure, failed } = result;
  const part = (title: string, photos: ResultsAnswer['supporting']): string[] =>
    photos.length === 0
      ? []
      : [
          title,
          ...table(
            [{}, { align: 'right' }, {}, { shrinks: true }],
            photos.map((each) => [
              '',
              `${(100 * each.confidence).toFixed(0)} %`,
              each.answer === '' ? 'not sure' : each.answer,
              each.photo.path,
            ]),
            width,
          ),
        ];
  return [
    answer,
    ...part('For it:', supporting),
    ...part('Against it:', opposing),
    ...part('Not sure:', unsure),
    ...failed.map(({ path, message }) => `  ${path}: ${message}`),
  ];
}
