// The page in headless Chromium: page.cjs MODULES URL OUT looks|several|controls|token|lost [HOSTILE…|TOKEN]
// MODULES: where playwright-core is installed; OUT: where screenshots go. What is not as it should be ends it with 1.
'use strict';
const [modules, url, out, what, ...words] = process.argv.slice(2);
const {chromium} = require(require.resolve('playwright-core', {paths: [modules]}));
const assert = require('node:assert/strict');
const path = require('node:path');

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const wrong = [];

// `change`: of the server's snapshot, before the page has it.
async function opened(browser, options, {allow_errors = false, change = null} = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, locale: 'en-US', ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  page.on('pageerror', error => wrong.push('error: ' + error.message));
  page.on('dialog', dialog => { wrong.push('a dialog: ' + dialog.message()); dialog.dismiss(); });
  page.on('console', line => { if (line.type() === 'error' && !allow_errors) wrong.push('console: ' + line.text()); });
  page.on('request', request => { if (!request.url().startsWith(url) && !request.url().startsWith('data:')) wrong.push('asks ' + request.url()); });
  if (change) {
    await page.route('**/api/snapshot', async route => {
      try {
        const response = await route.fetch(), s = await response.json();
        change(s);
        await route.fulfill({response, body: JSON.stringify(s)});
      } catch { /* the page is closed; else it gets no answer, and shows nothing */ }
    });
  }
  await page.goto(url);
  await page.waitForSelector('#tables td');
  await page.waitForSelector('#queue .curve', {state: 'attached'}); // a level line has no height, which counts as hidden
  return page;
}

// Elements whose own text is too faint on what is behind it (WCAG AA), or that stick out of the window.
function faults() {
  const parse = text => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = at => { for (; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  const found = [];
  for (const at of document.querySelectorAll('body *')) {
    const own = [...at.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    const box = at.getBoundingClientRect();
    if (!own || box.width < 2 || at.closest('script, style, thead, noscript, :disabled')) continue;
    const style = getComputedStyle(at);
    const [a, b] = [light(parse(at.closest('svg') ? style.fill : style.color)), light(behind(at))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`faint (${ratio.toFixed(1)}): ${at.textContent.slice(0, 40)}`);
    if (box.right > innerWidth + 1) found.push(`sticks out: ${at.textContent.slice(0, 40)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push(`scrolls sideways: ${document.documentElement.scrollWidth}`);
  return found;
}

function rows_of_figures() {
  const rows = {};
  for (const at of document.querySelectorAll('#figures > div')) rows[at.getBoundingClientRect().top] = (rows[at.getBoundingClientRect().top] || 0) + 1;
  return Object.values(rows);
}

const verdicts = {'en-US': /^[✓!✕?] (The backup|It cannot)/, 'zh-CN': /^[✓!✕?] .*备份/};
async function looks(browser) {
  for (const width of [360, 1280]) for (const colorScheme of ['light', 'dark']) for (const locale of ['en-US', 'zh-CN']) {
    const name = `${width}-${colorScheme}-${locale.slice(0, 2)}`;
    const page = await opened(browser, {viewport: {width, height: 800}, colorScheme, locale, hasTouch: width === 360});
    assert.match(await page.textContent('.verdict'), verdicts[locale], name);
    assert.equal(await page.evaluate(() => document.documentElement.lang), locale === 'zh-CN' ? 'zh-CN' : 'en', name);
    assert.equal(await page.evaluate(() => [...document.querySelectorAll('[data-word]')].filter(at => !at.textContent).length), 0, name);
    if (locale === 'zh-CN') assert.equal(await page.evaluate(() => [...document.querySelectorAll('h2, button[data-word]')].filter(at => !/[一-鿿]/.test(at.textContent)).length), 0, name);
    const told = await page.evaluate(() => [...document.querySelectorAll('#state .line, #state .findings li > span:first-of-type')].map(at => at.textContent));
    assert.ok(told.length > 0, name);
    for (const line of told) assert.equal(/[一-鿿]/.test(line), locale === 'zh-CN', `${name}: ${line}`);
    const shown = await page.textContent('#tables');
    for (const hostile of words) assert.ok(shown.includes(hostile), `${name}: ${hostile} is not shown as text: ${shown}`);
    assert.equal(await page.evaluate(() => document.querySelectorAll('#tables img, #tables script, #events img').length), 0, name);
    assert.deepEqual(await page.evaluate(faults), [], name);
    if (width === 1280) assert.deepEqual(await page.evaluate(rows_of_figures), [4, 4], name);
    await page.screenshot({path: path.join(out, name + '.png'), fullPage: true});
    await page.context().close();
  }
}

// Of two standbys what either has, and nothing is proven that one of them was not.
async function several(browser) {
  const page = await opened(browser, {}, {change: s => {
    const near = s.standbys.backup_node, far = structuredClone(near);
    Object.assign(near, {operations: 5, quarantined: 1, conflicts: {update_missing: 1}});
    Object.assign(far, {operations: 0, quarantined: 2, conflicts: {update_missing: 3, insert_exists: 1}});
    near.full_sync.proven = s.time;
    far.full_sync.proven = null;
    s.standbys.far_node = far;
  }});
  const figures = await page.evaluate(() => Object.fromEntries([...document.querySelectorAll('#figures > div')].map(at => [at.querySelector('dt').textContent, at.querySelector('dd').firstChild.textContent])));
  assert.deepEqual(['Conflicts', 'In quarantine', 'Last full sync'].map(name => figures[name]), ['5', '3', 'never']);
}

async function tab_to(page, id) {
  for (let i = 0; i < 40; ++i) {
    if (await page.evaluate(() => document.activeElement.id) === id) {
      assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', `no outline on ${id}`);
      return;
    }
    await page.keyboard.press('Tab');
  }
  assert.fail(`the keyboard does not reach ${id}`);
}
const says = (page, id, text) => page.waitForFunction(([at, wanted]) => document.getElementById(at).textContent.includes(wanted), [id, text], {timeout: 40000});

async function controls(browser) {
  const page = await opened(browser, {});
  await tab_to(page, 'disable');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.getElementById('ask').open), false);
  await says(page, 'switch', 'Sync is enabled');
  await tab_to(page, 'disable');
  await page.keyboard.press('Enter');
  await page.screenshot({path: path.join(out, 'asked.png')});
  await page.keyboard.press('Enter');
  await says(page, 'switch', 'Sync is disabled by api@127.0.0.1');
  await says(page, 'state', 'the sync is disabled');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'enable');
  await page.screenshot({path: path.join(out, 'disabled.png'), fullPage: true});
  await page.keyboard.press('Enter');
  await says(page, 'switch', 'Sync is enabled by api@127.0.0.1');
  await page.evaluate(() => document.activeElement.blur());
  await tab_to(page, 'force');
  await page.keyboard.press('Enter');
  await says(page, 'said', 'done, all tables are equal');
  await page.waitForFunction(() => [...document.querySelectorAll('#tables tbody tr')].every(row => /equal/.test(row.textContent) && /ago|just now/.test(row.textContent)));
  await says(page, 'state', 'The backup is good');
  // A clock that jumps ahead is followed; what was just looked at is not said to be an hour old for ever.
  await page.evaluate(() => { const real = Date.now; Date.now = () => real() + 3600e3; });
  await page.waitForFunction(() => [...document.querySelectorAll('#nodes time[data-ago]')].some(at => / (min|h) ago/.test(at.textContent)));
  await page.waitForFunction(() => [...document.querySelectorAll('#nodes time[data-ago]')].every(at => !/ (min|h) ago/.test(at.textContent)), null, {timeout: 30000});
  await tab_to(page, 'queue');
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.textContent('#queue-now'), /^\d.*: \d/);
  await page.hover('#lag');
  assert.match(await page.textContent('#lag-now'), /^\d.*: /);
  await page.screenshot({path: path.join(out, 'proven.png'), fullPage: true});
}

async function with_token(browser) {
  const page = await opened(browser, {}, {allow_errors: true});
  await page.click('#disable');
  await page.click('#ask-yes');
  await says(page, 'ask', 'token');
  await page.keyboard.type('not the token, but long');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.getElementById('ask').open && document.getElementById('token').value === '');
  await page.keyboard.type(words[0]);
  await page.keyboard.press('Enter');
  await says(page, 'said', 'Sync is disabled');
  await page.click('#enable');
  await says(page, 'said', 'Sync is enabled');
  assert.equal(await page.evaluate(token => document.documentElement.outerHTML.includes(token) || document.getElementById('token').value !== '' ||
    JSON.stringify({...localStorage, ...sessionStorage}).includes(token), words[0]), false, 'the token is left in the page');
}

// Whoever runs this ends the server when it says "shown".
async function lost(browser) {
  const page = await opened(browser, {}, {allow_errors: true});
  process.stdout.write('shown\n');
  await page.waitForSelector('#lost:not([hidden])', {timeout: 20000});
  await page.screenshot({path: path.join(out, 'lost.png')});
}

(async () => {
  const browser = await chromium.launch({executablePath: process.env.CHROMIUM || 'chromium', headless: true, args, chromiumSandbox: false});
  try {
    await {looks, several, controls, token: with_token, lost}[what](browser);
    assert.deepEqual(wrong, []);
  } finally {
    await browser.close();
  }
})().catch(error => { process.stderr.write(`${what}: ${error.stack}\n${wrong.join('\n')}\n`); process.exitCode = 1; });
