/**
 * The status page: one document that needs nothing but /status.json and /jobs/NAME.json of its own origin. The policy
 * lets run only the script and the style that stand in it.
 */
import { createHash } from 'node:crypto';

import { PAGE_CHART_SCRIPT } from './chart.ts';
import { PAGE_SCRIPT } from './script.ts';
import { PAGE_STYLE } from './style.ts';

const SCRIPT = PAGE_CHART_SCRIPT + PAGE_SCRIPT;

export const STATUS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>migration-agent</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header><h1>migration-agent on <span id="host">this host</span></h1><strong id="verdict"></strong><span id="state" class="warn"></span><span id="link" class="bad" role="status"></span></header>
<p id="facts" class="faint"></p>
<ul id="problems" aria-label="problems"></ul>
<main>
<div class="tools"><label>Filter <input id="filter" type="search" autocomplete="off" placeholder="name or state" aria-keyshortcuts="/"></label><span id="more" class="faint" role="status"></span></div>
<table id="jobs-table"><thead><tr><th scope="col">Run</th><th scope="col">State</th><th scope="col">Progress</th><th scope="col">Age</th><th scope="col">Told</th></tr></thead><tbody id="jobs"></tbody></table>
<table id="budgets-table" hidden><thead><tr><th scope="col">Operation</th><th scope="col">Budget left</th><th scope="col" class="number">Accepted</th><th scope="col" class="number">Throttled</th><th scope="col" class="number">Failed</th><th></th></tr></thead><tbody id="budgets"></tbody></table>
</main>
<footer class="faint"><a href="status.json">status.json</a> <a href="metrics">metrics</a> <span>A job's name opens its timeline; / filters.</span></footer>
<noscript>This page needs its script to refresh; <a href="status.json">status.json</a> holds the same facts.</noscript>
<script>${SCRIPT}</script>
</body>
</html>
`;

export const STATUS_PAGE_POLICY = [
  "default-src 'none'",
  `style-src '${hash(PAGE_STYLE)}'`,
  `script-src '${hash(SCRIPT)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
