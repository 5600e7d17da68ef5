// tests/browser/page.mjs - opens written reports in Chromium and measures what a reader would trip over.
//
// usage: node page.mjs [--brief | --full-first N] PAGE...
//
// Each page is opened as a phone (360 px), as a desktop (1100 px), both in light and dark, and as
// paper (A4 between its margins), also where the system is dark. One TAP line for a page, a view and a
// behaviour. --brief: the phone in light, the desktop in dark and paper only, for many pages.
//
// Text of the charts is measured as drawn: its box from getBoundingClientRect, its size as the
// computed font size times the scale of its matrix. Two labels may touch, not overlap.
import { chromium } from 'playwright-core';
import { readFileSync, statSync, existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';

const PAGE_BYTES_MOST = 1.5e6;
const LABEL_PX_LEAST = 8;
const OVERLAP_PX = 1.5; // ascenders and descenders leave this much air inside a label's box
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1100, height: 900 };
const PAPER = { width: 680, height: 1009 }; // A4 less its margins, in CSS pixels
const VIEWS = [
  { name: 'phone, light', size: PHONE, scheme: 'light', brief: true },
  { name: 'phone, dark', size: PHONE, scheme: 'dark' },
  { name: 'desktop, light', size: DESKTOP, scheme: 'light' },
  { name: 'desktop, dark', size: DESKTOP, scheme: 'dark', brief: true },
  { name: 'paper', size: PAPER, scheme: 'light', media: 'print' },
  { name: 'paper, dark system', size: PAPER, scheme: 'dark', media: 'print', brief: true },
];

let count = 0;
let failed = 0;

function check(name, faults) {
  count++;
  console.log(`${faults.length ? 'not ok' : 'ok'} ${count} - ${name}`);
  for (const f of faults.slice(0, 12)) console.log(`#   ${f}`);
  if (faults.length > 12) console.log(`#   and ${faults.length - 12} more`);
  if (faults.length) failed++;
}

// ---- measured inside the page ----

function measureOverflow() {
  const wide = document.documentElement.clientWidth;
  const faults = [];
  if (document.documentElement.scrollWidth > wide)
    faults.push(`the page is ${document.documentElement.scrollWidth} px wide, the window ${wide}`);
  for (const e of document.querySelectorAll('main *')) {
    if (e.closest('.scroll') || e.closest('svg')) continue;
    const r = e.getBoundingClientRect();
    if (r.width > 0 && r.height > 0 && r.right > wide + 0.5)
      faults.push(`<${e.tagName.toLowerCase()}> ends at ${r.right.toFixed(0)}: ${e.textContent.slice(0, 60)}`);
  }
  return faults;
}

function measureLabels({ overlap, least }) {
  const faults = [];
  let charts = 0;
  for (const svg of document.querySelectorAll('figure svg')) {
    const frame = svg.getBoundingClientRect();
    if (frame.width === 0) continue;
    charts++;
    const name = svg.closest('figure').id;
    const labels = [...svg.querySelectorAll('text')]
      .filter((t) => t.textContent.trim())
      .map((t) => {
        const range = document.createRange();
        range.selectNodeContents(t);
        const box = range.getBoundingClientRect();
        const m = t.getScreenCTM();
        return { text: t.textContent.trim(), box, px: parseFloat(getComputedStyle(t).fontSize) * Math.hypot(m.a, m.b) };
      });
    if (labels.length < 3) faults.push(`${name}: a chart with ${labels.length} labels`);
    for (const [i, a] of labels.entries()) {
      if (a.box.left < frame.left - 0.5 || a.box.right > frame.right + 0.5 || a.box.top < frame.top - 0.5 || a.box.bottom > frame.bottom + 0.5)
        faults.push(`${name}: "${a.text}" is cut by the edge`);
      if (a.px < least) faults.push(`${name}: "${a.text}" is ${a.px.toFixed(1)} px`);
      for (const b of labels.slice(i + 1)) {
        const x = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const y = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        // Boxes hold a line's whole height; letters fill about three quarters of it.
        const air = 0.25 * Math.min(a.box.height, b.box.height);
        if (x > overlap && y > air) faults.push(`${name}: "${a.text}" overlaps "${b.text}" by ${x.toFixed(1)} x ${y.toFixed(1)}`);
      }
    }
  }
  return { faults, charts };
}

function measureDescriptions() {
  const faults = [];
  for (const figure of document.querySelectorAll('figure')) {
    const drawings = [...figure.querySelectorAll('svg')];
    if (drawings.length !== 2) faults.push(`${figure.id}: ${drawings.length} layouts`);
    for (const svg of drawings) {
      const said = (svg.getAttribute('aria-labelledby') || '').split(' ').map((id) => document.getElementById(id)?.textContent.trim());
      if (svg.getAttribute('role') !== 'img' || said.length !== 2 || said.some((t) => !t)) faults.push(`${figure.id}: no name or description`);
    }
    const cells = figure.querySelectorAll('details table tbody td');
    if (!cells.length) faults.push(`${figure.id}: no table behind the chart`);
  }
  if (!document.title) faults.push('the page has no title');
  return faults;
}

// Paper is white, whatever the screen was: each text is dark, no ground is.
function measureInk() {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  const faults = [];
  for (const e of [document.body, ...document.querySelectorAll('body *')]) {
    const r = e.getBoundingClientRect();
    if (!r.width || !r.height) continue;
    const style = getComputedStyle(e);
    const ground = channels(e.closest('svg') ? 'rgba(0,0,0,0)' : style.backgroundColor);
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const ink = channels(e.tagName === 'text' || e.tagName === 'tspan' ? style.fill : style.color);
    if ((ground[3] ?? 1) > 0 && light(ground) < 0.8) faults.push(`<${e.tagName}> stands on ${style.backgroundColor}`);
    if (own && light(ink) > 0.6) faults.push(`"${e.textContent.trim().slice(0, 30)}" is written in ${ink}`);
  }
  return faults;
}

// ---- one page in one view ----

async function axeFaults(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary.split('\n')[1] ?? ''}`));
}

async function openTables(page) {
  await page.evaluate(() => document.querySelectorAll('details').forEach((d) => (d.open = true)));
}

async function checkView(browser, file, view) {
  const context = await browser.newContext({ viewport: view.size, colorScheme: view.scheme });
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  const loud = [];
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && loud.push(m.text()));
  page.on('pageerror', (e) => loud.push(String(e)));
  page.on('request', (r) => r.url() !== url && !r.url().startsWith('data:') && loud.push(`asked for ${r.url()}`));
  if (view.media) await page.emulateMedia({ media: view.media, colorScheme: view.scheme });
  await page.goto(url, { waitUntil: 'load', timeout: 120000 });

  const name = `${file}, ${view.name}`;
  const labels = await page.evaluate(measureLabels, { overlap: OVERLAP_PX, least: LABEL_PX_LEAST });
  check(`${name}: no label of ${labels.charts} charts overlaps, is cut or too small`, labels.faults);
  check(`${name}: nothing is wider than the window`, await page.evaluate(measureOverflow));
  if (!view.media) {
    await openTables(page);
    check(`${name}: nothing is wider than the window with the tables open`, await page.evaluate(measureOverflow));
  } else check(`${name}: dark on white`, await page.evaluate(measureInk));
  check(`${name}: axe-core finds no violation`, await axeFaults(page));
  check(`${name}: no error, no warning, no request`, loud);
  await context.close();
}

async function checkPage(browser, file, brief) {
  const size = statSync(file).size;
  check(`${file}: ${size} bytes`, size > PAGE_BYTES_MOST ? [`more than ${PAGE_BYTES_MOST}`] : []);
  const page = await browser.newPage();
  await page.goto(pathToFileURL(file).href, { timeout: 120000 });
  check(`${file}: each chart has a name, a description and a table`, await page.evaluate(measureDescriptions));
  await page.close();
  for (const view of VIEWS) if (!brief || view.brief) await checkView(browser, file, view);
}

const args = process.argv.slice(2);
// --full-first N: all views of the first N pages, the others as with --brief.
let full = Infinity;
if (args[0] === '--brief') full = args.shift() && 0;
else if (args[0] === '--full-first') full = Number(args.splice(0, 2)[1]);
const executablePath = process.env.CHROMIUM || ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
try {
  for (const [i, file] of args.entries()) await checkPage(browser, file, i >= full);
} finally {
  await browser.close();
}
console.log(`1..${count}`);
process.exitCode = failed || !count ? 1 : 0;
