/** Downloads one file from a loopback server that breaks off, lies, redirects and forgets. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AppError, type ErrorCode } from '../../../main/errors.ts';
import { downloadFile } from '../../../main/engine/packs/download-file.ts';
import type { DownloadFile, DownloadRules } from '../../../main/engine/packs/hub-request.ts';
import { startServer, type Behaviour, type TestServer } from './download-server.ts';

const body = randomBytes(300_000);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const gitBlob = (bytes: Buffer): string =>
  createHash('sha1')
    .update(`blob ${String(bytes.byteLength)}\0`)
    .update(bytes)
    .digest('hex');

interface Setup {
  readonly server: TestServer;
  readonly file: DownloadFile;
  readonly rules: DownloadRules;
}

async function setUp(context: TestContext, behaviour: Behaviour = {}): Promise<Setup> {
  const server = await startServer();
  const dir = await mkdtemp(join(tmpdir(), 'afterimage-download-'));
  context.after(async () => {
    await server.close();
    await rm(dir, { recursive: true });
  });
  server.serve('/model.onnx', body, behaviour);
  return {
    server,
    file: {
      url: `${server.origin}/model.onnx`,
      path: join(dir, 'onnx/model.onnx'),
      bytes: body.byteLength,
      sha256: sha256(body),
    },
    rules: { hosts: [], insecureHosts: [server.host], retryDelayMs: 1, retries: 2, stallMs: 2_000 },
  };
}

/** Breaks the connection off as soon as some of the file has arrived. */
const cutting = (server: TestServer): { onProgress: (done: number) => void } => {
  let known = 0;
  return {
    onProgress: (done) => {
      if (done > known) server.cut();
      known = Math.max(known, done);
    },
  };
};

function hasCode(code: ErrorCode): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof AppError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    return true;
  };
}

test('a file arrives whole and nothing is left beside it', async (context) => {
  const { file, rules } = await setUp(context);
  const seen: (number | null)[][] = [];
  const result = await downloadFile(file, rules, {
    onProgress: (done, total) => seen.push([done, total]),
  });
  assert.deepEqual(result, { bytes: body.byteLength, sha256: sha256(body) });
  assert.deepEqual(await readFile(file.path), body);
  assert.deepEqual(seen.at(-1), [body.byteLength, body.byteLength]);
  assert.ok(!existsSync(`${file.path}.part`) && !existsSync(`${file.path}.part.json`));
});

test('a connection that breaks off twice is continued where it stopped', async (context) => {
  const { server, file, rules } = await setUp(context, { cutAfter: 100_000, cuts: 2 });
  await downloadFile(file, rules, cutting(server));
  assert.deepEqual(await readFile(file.path), body);
  assert.ok(server.requests.length >= 3);
  assert.match(server.requests.at(-1)?.range ?? '', /^bytes=[1-9]\d*-$/);
  assert.equal(server.requests.at(-1)?.ifRange, '"version-1"');
});

test('a download that was given up is continued by the next one', async (context) => {
  const { server, file, rules } = await setUp(context, { cutAfter: 120_000, cuts: 99 });
  await assert.rejects(
    downloadFile(file, { ...rules, retries: 0 }, cutting(server)),
    hasCode('download-failed'),
  );
  const { size } = await stat(`${file.path}.part`);
  assert.ok(size > 0);
  server.serve('/model.onnx', body);
  await downloadFile(file, rules);
  assert.equal(server.requests.at(-1)?.range, `bytes=${String(size)}-`);
  assert.deepEqual(await readFile(file.path), body);
});

test('a server that ignores Range sends the file anew and it is right', async (context) => {
  const { server, file, rules } = await setUp(context, { cutAfter: 50_000, cuts: 1, ignoreRange: true });
  await downloadFile(file, rules, cutting(server));
  assert.deepEqual(await readFile(file.path), body);
});

test('a file that changed on the server between two attempts is not glued together', async (context) => {
  const { server, file, rules } = await setUp(context, { cutAfter: 90_000, cuts: 99, etag: '"old"' });
  const old = { ...file, sha256: sha256(body) };
  await assert.rejects(
    downloadFile(old, { ...rules, retries: 0 }, cutting(server)),
    hasCode('download-failed'),
  );
  assert.ok((await stat(`${file.path}.part`)).size > 0);
  const changed = randomBytes(body.byteLength);
  server.serve('/model.onnx', changed, { etag: '"new"' });
  await downloadFile({ ...file, sha256: sha256(changed) }, rules);
  assert.deepEqual(await readFile(file.path), changed);
});

test('a length that is not the expected one is refused before a byte is kept', async (context) => {
  const { file, rules } = await setUp(context, { lieLength: body.byteLength + 7 });
  await assert.rejects(downloadFile(file, rules), hasCode('download-refused'));
  assert.ok(!existsSync(file.path));
});

test('wrong bytes of the right length are refused and thrown away', async (context) => {
  const { file, rules } = await setUp(context, { instead: randomBytes(body.byteLength) });
  await assert.rejects(downloadFile(file, rules), hasCode('download-refused'));
  assert.ok(!existsSync(file.path) && !existsSync(`${file.path}.part`));
});

test('a redirect to a host that is not on the list is refused', async (context) => {
  const { file, rules } = await setUp(context, { redirect: 'https://example.com/model.onnx' });
  await assert.rejects(downloadFile(file, rules), (thrown: unknown) => {
    assert.ok(thrown instanceof AppError && thrown.code === 'download-refused');
    assert.match(thrown.message, /example\.com/);
    return true;
  });
});

test('a redirect from https to plain http is refused even on a listed host', async (context) => {
  const { file, rules } = await setUp(context, { redirect: 'http://huggingface.co/model.onnx' });
  await assert.rejects(
    downloadFile(file, { ...rules, hosts: ['huggingface.co'] }),
    hasCode('download-refused'),
  );
});

test('plain http is refused unless it is allowed for tests', async (context) => {
  const { file, rules } = await setUp(context);
  await assert.rejects(downloadFile(file, { ...rules, insecureHosts: [] }), hasCode('download-refused'));
});

test('a redirect within the allowed hosts is followed', async (context) => {
  const { server, file, rules } = await setUp(context);
  server.serve('/resolve', Buffer.alloc(0), {
    redirect: '/model.onnx',
    headers: { 'x-linked-etag': `"${sha256(body)}"`, 'x-linked-size': String(body.byteLength) },
  });
  const result = await downloadFile(
    { ...file, url: `${server.origin}/resolve`, bytes: null, sha256: null },
    rules,
  );
  assert.equal(result.sha256, sha256(body));
});

test('a redirect that never ends is given up', async (context) => {
  const { file, rules } = await setUp(context, { redirect: '/model.onnx' });
  await assert.rejects(downloadFile(file, rules), hasCode('download-refused'));
});

test('a server that states another checksum than the manifest is refused at once', async (context) => {
  const { file, rules } = await setUp(context, { headers: { 'x-linked-etag': `"${'0'.repeat(64)}"` } });
  await assert.rejects(downloadFile(file, rules), hasCode('download-refused'));
});

test('without a known checksum the one that the server states decides', async (context) => {
  const { server, file, rules } = await setUp(context);
  const unknown = { ...file, bytes: null, sha256: null };
  server.serve('/model.onnx', body, { etag: `"${gitBlob(body)}"` });
  assert.equal((await downloadFile(unknown, rules)).sha256, sha256(body));
  server.serve('/model.onnx', body, { etag: `"${gitBlob(randomBytes(10))}"` });
  await rm(file.path);
  await assert.rejects(downloadFile(unknown, rules), hasCode('download-refused'));
  server.serve('/model.onnx', body, { etag: null });
  await assert.rejects(downloadFile(unknown, rules), hasCode('download-refused'));
});

for (const [status, code] of [
  [404, 'download-failed'],
  [500, 'download-failed'],
  [429, 'download-failed'],
] as const) {
  test(`an answer of ${String(status)} ends in ${code}`, async (context) => {
    const { file, rules, server } = await setUp(context, { status });
    await assert.rejects(downloadFile(file, rules), hasCode(code));
    assert.equal(server.requests.length, status === 404 ? 1 : 3);
  });
}

test('a server that is busy for a moment is asked again', async (context) => {
  const { file, rules } = await setUp(context, { status: 503, times: 2, headers: { 'retry-after': '0' } });
  await downloadFile(file, rules);
  assert.deepEqual(await readFile(file.path), body);
});

test('a server that falls silent is given up', async (context) => {
  const { file, rules } = await setUp(context, { hang: true });
  await assert.rejects(
    downloadFile(file, { ...rules, retries: 0, stallMs: 50 }),
    (thrown: unknown) =>
      thrown instanceof AppError &&
      thrown.code === 'download-failed' &&
      /stopped sending/.test(thrown.message),
  );
});

test('a host that is not there is reported as a connection that failed', async (context) => {
  const { file, rules, server } = await setUp(context);
  await server.close();
  context.after(() => undefined);
  await assert.rejects(downloadFile(file, { ...rules, retries: 0 }), hasCode('download-failed'));
});

test('a cancelled download stops and keeps what it has', async (context) => {
  const { file, rules } = await setUp(context, { hang: true });
  const cancel = new AbortController();
  await assert.rejects(
    downloadFile(file, rules, {
      signal: cancel.signal,
      onProgress: (done) => {
        if (done > 0) cancel.abort();
      },
    }),
    hasCode('cancelled'),
  );
  assert.ok(existsSync(`${file.path}.part`));
});
