/** The page for a browser that comes without the token: it says in words how to get in. */
import { createHash } from 'node:crypto';
import { commonHeaders, type Reply } from '../reply.ts';

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 32rem; margin: 20vh auto 0; padding: 0 1rem }
h1 { font-size: 20px }
`;
const styleHash = createHash('sha256').update(style).digest('base64');

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Afterimage</title>
<style>${style}</style>
</head>
<body>
<h1>Open the link that the terminal printed</h1>
<p>Afterimage shows your photos only to the person who started it. The link in the terminal ends in
<code>?token=…</code>; it is new each time Afterimage starts.</p>
<p>If you have just opened that link, <a href="/">go on to your photos</a>.</p>
</body>
</html>
`;

export function welcomeReply(): Reply {
  return {
    status: 403,
    headers: {
      ...commonHeaders,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'Cache-Control': 'no-store',
    },
    body: Buffer.from(page),
  };
}
