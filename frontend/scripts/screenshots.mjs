/**
 * Takes the documentation's pictures from a running product that has been through a demo:
 * `scripts/screenshots.sh`, for all or for the parts that are named: inputs, training, features
 * (with steering, which goes on from there). MISTUDIO_URL is the page, CHROME the browser.
 */
import { chromium } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {import('@playwright/test').Locator} Locator */

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const pictures = join(root, 'docs', 'images');
const url = process.env.MISTUDIO_URL ?? 'http://127.0.0.1:8000';
const WINDOW = { width: 1280, height: 800 };
const HEADER_PX = 120;
const LONG = { timeout: 240_000 };
const PROMPT = 'Once upon a time';

const browser = await chromium.launch({ executablePath: process.env.CHROME });
const page = await browser.newPage({ viewport: WINDOW, colorScheme: 'dark' });
const dialog = page.getByRole('dialog');

/**
 * Takes what a person sees; nothing is hovered, nothing moves.
 *
 * @param {string} name
 */
async function take(name) {
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled' });
  console.log(`docs/images/${name}.png`);
}

/** @param {Locator} part */
async function toTop(part) {
  await part.evaluate((element, header) => {
    window.scrollBy(0, element.getBoundingClientRect().top - header);
  }, HEADER_PX);
}

/**
 * @param {string} tab
 * @param {Locator} seen what must be visible before anything is taken
 */
async function openTab(tab, seen) {
  await page.goto(`${url}/?tab=${tab}`);
  await seen.first().waitFor(LONG);
}

async function takeInputs() {
  const card = page.getByRole('article').first();
  await openTab('datasets', card);
  await page.getByRole('button', { name: 'Built-in corpus' }).click();
  await take('datasets');
  await card.getByRole('button').first().click();
  await dialog.getByRole('tab', { name: 'Statistics' }).click();
  await dialog.getByText('Document length in characters').waitFor(LONG);
  await take('dataset-statistics');
  await openTab('models', page.getByRole('button', { name: 'Extract Activations' }));
  await take('models');
  await page.getByRole('button', { name: 'Extract Activations' }).first().click();
  await dialog
    .getByText(/on disk|of disk|GB|MB/)
    .first()
    .waitFor(LONG);
  await take('extract-activations');
}

async function takeTraining() {
  const card = page.getByRole('article').first();
  await openTab('training', card);
  await take('training-configuration');
  await card.getByText('Explained variance', { exact: true }).first().waitFor(LONG);
  await toTop(card);
  await take('training');
  await openTab(
    'training&new_sae=import',
    page.getByRole('heading', { name: 'Import a Dictionary' }),
  );
  await page.getByRole('button', { name: /^Where it belongs/ }).click();
  await take('import-dictionary');
}

async function takeFeatures() {
  await openTab('features', page.getByRole('button', { name: /^Open feature/ }));
  await page.getByLabel('Sort by').selectOption({ label: 'Interpretability' });
  // Labels of features that fire in the neighbourhood of a word: contexts that can be read.
  await page.getByRole('searchbox').first().fill('near');
  await page.getByRole('row').filter({ hasText: 'near "' }).first().waitFor(LONG);
  await page.waitForLoadState('networkidle');
  await toTop(page.getByRole('searchbox').first());
  await take('features');
  await page
    .getByRole('button', { name: /^Open feature/ })
    .first()
    .click();
  await dialog.getByText('Top Activating Contexts').waitFor(LONG);
  await take('feature');
  await takeSteering();
}

/** The open disclosure with limits of every kind, which are taken back afterwards. */
async function takeWhereItActs() {
  const title = page.getByRole('button', { name: /^Where it acts/ });
  const positions = page.getByLabel('Only at positions', { exact: true });
  await title.click();
  await positions.fill('3, 7-40');
  await page.getByLabel('Only at these tokens', { exact: true }).fill(' the');
  await page.getByText('Read as').waitFor(LONG);
  await page.getByRole('button', { name: 'Add the tokens' }).click();
  await page
    .getByRole('button', { name: /^Only where .* fires$/ })
    .first()
    .click();
  await page.getByLabel('Above', { exact: true }).fill('0.5');
  await page.getByLabel('Above', { exact: true }).blur();
  // All of it at once, which no header may cover.
  await page.setViewportSize({ ...WINDOW, height: 2 * WINDOW.height });
  await page.mouse.move(0, 0);
  const path = join(pictures, 'steering-where.png');
  await title.locator('..').screenshot({ path, animations: 'disabled' });
  console.log('docs/images/steering-where.png');
  await page.setViewportSize(WINDOW);
  await positions.fill('');
  await page.getByTitle(/leave it out again$/).click();
  await page.getByRole('button', { name: 'Remove the condition' }).click();
  await title.click();
}

/** Goes on from the open feature. */
async function takeSteering() {
  await dialog.getByRole('button', { name: 'Steer with this feature' }).click();
  await page.getByText('Selected Features (1)').waitFor(LONG);
  await page.getByLabel('Prompt', { exact: true }).fill(PROMPT);
  await page.getByLabel('Max tokens', { exact: true }).fill('50');
  await page.getByRole('slider').fill('1');
  await page.evaluate(() => window.scrollTo(0, 0));
  await take('steering-configuration');
  await takeWhereItActs();
  await page.getByRole('button', { name: 'Generate Comparison' }).click();
  await page.getByRole('region', { name: 'Comparison metrics' }).waitFor(LONG);
  await toTop(page.getByRole('region', { name: 'Unsteered (Baseline)' }));
  await take('steering');
}

const PARTS = { inputs: takeInputs, training: takeTraining, features: takeFeatures };
const asked = process.argv.slice(2);

mkdirSync(pictures, { recursive: true });
for (const [name, takePart] of Object.entries(PARTS)) {
  if (asked.length === 0 || asked.includes(name)) await takePart();
}
await browser.close();
