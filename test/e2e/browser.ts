/** A headless Chromium for the page tests, and the page built once per run. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { build } from 'vite';

/** The repository. */
export const top = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const systemBrowsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The packed browser carries the libraries that a bare machine lacks, and unpacks them when told so. */
async function findBrowser(): Promise<string> {
  const named = process.env['CHROMIUM_PATH'];
  if (named !== undefined) return named;
  if (process.platform === 'linux' && process.arch === 'x64') {
    process.env['AWS_LAMBDA_JS_RUNTIME'] ??= 'nodejs22.x';
    const fonts = process.env['FONTCONFIG_PATH'];
    const { default: packed } = await import('@sparticuz/chromium');
    const path = await packed.executablePath();
    // It brings a font or two of its own; the machine's, where it has some, know more scripts.
    if (existsSync('/etc/fonts/fonts.conf')) process.env['FONTCONFIG_PATH'] = fonts ?? '/etc/fonts';
    return path;
  }
  const found = systemBrowsers.find((path) => existsSync(path));
  if (found === undefined) throw new Error('No Chromium was found. Name one in CHROMIUM_PATH.');
  return found;
}

export async function openBrowser(): Promise<Browser> {
  const executablePath = await findBrowser();
  try {
    return await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  } catch (error) {
    const other = systemBrowsers.find((path) => path !== executablePath && existsSync(path));
    if (other === undefined) throw error;
    return chromium.launch({ executablePath: other, args: ['--no-sandbox'] });
  }
}

/** Builds the page into a folder of its own, so that tests never serve a stale one. */
export async function buildPage(): Promise<{ dist: string; remove: () => Promise<void> }> {
  const dist = join(top, 'test', '.cache', `page-${process.pid}`);
  await mkdir(dist, { recursive: true });
  await build({
    configFile: join(top, 'renderer', 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir: dist, emptyOutDir: true },
  });
  return { dist, remove: () => rm(dist, { recursive: true, force: true }) };
}

export interface Visit {
  readonly page: Page;
  /** Errors of the page: exceptions, and what the content security policy refused. */
  readonly complaints: string[];
  readonly close: () => Promise<void>;
}

export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|svelte\.dev/.test(message.text())) complaints.push(message.text());
  });
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  return { page, complaints, close: () => context.close() };
}
