import { expect, type Locator, type Page, type Response, test } from '@playwright/test';
import { join } from 'node:path';
import { writeCorpus } from './corpus';
import { collectErrors, expectNoSeriousFault, noteMessages, openTab, shot } from './page';
import { killPrograms, untilCompleted } from './faults';

const MODEL = join(import.meta.dirname, '../../backend/tests/data/glass-en');
const LONG = { timeout: 240_000 };

test.describe.configure({ mode: 'serial' });

let page: Page;
let errors: string[];

test.beforeAll(async ({ browser }) => {
  page = await (await browser.newContext()).newPage();
  errors = collectErrors(page);
  await page.goto('/');
});

test.afterAll(async () => {
  await page.context().close();
});

test('a text corpus is imported and can be read', async () => {
  await expect(page.getByText('API Connected')).toBeVisible();
  await expect(page.getByText('No datasets yet')).toBeVisible();
  await expectNoSeriousFault(page);
  await shot(page, '01-datasets-empty');

  await page.getByRole('button', { name: 'Path on this machine' }).click();
  await page.getByLabel('Path', { exact: true }).fill('/nowhere/corpus.txt');
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await shot(page, '02-dataset-refused');

  await page.getByLabel('Path', { exact: true }).fill(writeCorpus());
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  const card = page.getByRole('article', { name: 'tales' });
  await expect(card.getByText('Ready')).toBeVisible(LONG);
  await card.getByRole('button', { name: 'tales', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'tales' });
  await dialog.getByRole('tab', { name: 'Samples' }).click();
  await expect(dialog.getByText(/Showing 1–10 of 400 samples/)).toBeVisible();
  await dialog.getByRole('searchbox').fill('number 399');
  await expect(dialog.getByText(/Showing 1–1 of 1 samples/)).toBeVisible();
  await shot(page, '03-dataset-samples');
  await dialog.getByRole('tab', { name: 'Statistics' }).click();
  await expect(dialog.getByText('Document length in characters')).toBeVisible();
  await expectNoSeriousFault(page);
  await shot(page, '04-dataset-statistics');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('a model is imported and shows what it is made of', async () => {
  await openTab(page, 'models');
  await page.getByRole('button', { name: 'Folder or GGUF on this machine' }).click();
  await page.getByLabel('Path', { exact: true }).fill(MODEL);
  await page.getByLabel('Name (optional)', { exact: true }).fill('glass-en');
  await page.getByRole('button', { name: 'Import Model' }).click();
  const card = page.getByRole('article', { name: 'glass-en' });
  await expect(card.getByText('Ready')).toBeVisible(LONG);
  await expect(card.getByText('853K params')).toBeVisible();
  await expectNoSeriousFault(page);
  await shot(page, '05-models');
  await card.getByRole('button', { name: 'glass-en', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'glass-en Architecture' });
  await expect(dialog.getByText('Hidden Dimension')).toBeVisible();
  await expect(dialog.getByText('model.layers.3')).toBeVisible();
  await shot(page, '06-architecture');
  await dialog.getByRole('button', { name: 'Close' }).click();
});

test('activations are extracted', async () => {
  await openTab(page, 'models');
  await page.getByRole('button', { name: 'Extract Activations' }).click();
  const dialog = page.getByRole('dialog', { name: 'Extract Activations' });
  await expect(dialog.getByLabel('Dataset', { exact: true })).toContainText('tales');
  await expect(dialog.getByRole('button', { name: 'L1', pressed: true })).toBeVisible();
  await dialog.getByLabel('Tokens at most', { exact: true }).fill('20000');
  await expectNoSeriousFault(page);
  await shot(page, '07-extract');
  await dialog.getByRole('button', { name: 'Start Extraction' }).click();
  await expect(dialog).toBeHidden();
  const card = page.getByRole('article', { name: 'glass-en on tales' });
  await expect(card.getByText('Ready')).toBeVisible(LONG);
  await expect(card.getByText(/tokens/)).toBeVisible();
  await card.scrollIntoViewIfNeeded();
  await shot(page, '08-activations');
  await card.getByRole('button', { name: 'Train on this' }).click();
});

function isCreation(response: Response): boolean {
  return response.request().method() === 'POST' && response.url().endsWith('/api/v1/trainings');
}

/** Fills the form; the newest training's card comes first, and its id is in the address. */
async function startTraining(steps: number): Promise<Locator> {
  await openTab(page, 'training');
  await expect(page.getByLabel('Model', { exact: true })).toContainText('glass-en');
  await page.getByLabel('Active Latents (k)', { exact: true }).fill('8');
  await page.getByLabel('Training Steps', { exact: true }).fill(String(steps));
  await page.getByLabel('Expansion Factor', { exact: true }).selectOption('4x');
  await page.getByLabel('Batch Size', { exact: true }).selectOption('256');
  await expect(page.getByText(/The dictionary has/)).toContainText('512 latents');
  // The list tells its length once it was read.
  await expect(page.getByRole('heading', { name: /^Training Jobs \(/ })).toBeVisible();
  const before = await page.getByRole('article').count();
  const created = page.waitForResponse(isCreation, LONG);
  await page.getByRole('button', { name: 'Start Training' }).click();
  const { data } = (await (await created).json()) as { data: { training_id: string } };
  await expect(page.getByRole('article')).toHaveCount(before + 1);
  // The address of the training before would do for whoever asks the API about "the" training.
  await expect(page).toHaveURL(new RegExp(`training=${data.training_id}`));
  return page.getByRole('article', { name: /^glass-en layer 1/ }).first();
}

test('a training pauses, goes on from a checkpoint, and stops', async () => {
  await openTab(page, 'training');
  await expect(page.getByRole('button', { name: 'Start Training' })).toBeEnabled();
  await page.getByRole('button', { name: 'Advanced Hyperparameters' }).click();
  await expect(page.getByLabel('Auto-save Every', { exact: true })).toHaveValue('500');
  await expectNoSeriousFault(page);
  await shot(page, '09-training-configuration');
  await page.getByRole('button', { name: 'Advanced Hyperparameters' }).click();

  const card = await startTraining(500_000);
  await expect(card.getByRole('log')).toContainText('loss', LONG);
  await card.scrollIntoViewIfNeeded();
  await shot(page, '10-training-live');
  await card.getByRole('button', { name: 'Pause' }).click();
  await expect(card.getByText('Paused')).toBeVisible(LONG);
  await card.getByRole('button', { name: /^Checkpoints/ }).click();
  await expect(card.getByRole('button', { name: /^Load step/ }).first()).toBeEnabled();
  await expectNoSeriousFault(page);
  await shot(page, '11-training-paused');
  const messages = await noteMessages(page);
  await card
    .getByRole('button', { name: /^Load step/ })
    .last()
    .click();
  await expect.poll(messages).toContainEqual(expect.stringContaining('goes on from there'));
  await expect(card.getByText('Training', { exact: true })).toBeVisible(LONG);
  await card.getByRole('button', { name: 'Pause' }).click();
  await expect(card.getByText('Paused')).toBeVisible(LONG);
  await card.getByRole('button', { name: 'Resume' }).click();
  await card.getByRole('button', { name: 'Stop' }).click();
  await expect(card.getByText('Stopped')).toBeVisible(LONG);
});

test('a training completes and is measured on held-out text, whoever is killed', async () => {
  const card = await startTraining(400);
  await expect(card.getByRole('log')).toContainText('loss', LONG);
  // Neither ends a training. The page polls, connects again and is right without being told.
  await killPrograms('valkey', 'api');
  await untilCompleted(page);
  await expect(card.getByText('Completed')).toBeVisible();
  await expect(page.getByText('API Connected')).toBeVisible();
  const evaluation = card.getByRole('region', { name: 'Held-out evaluation' });
  await expect(evaluation.getByText('Explained variance', { exact: true })).toBeVisible(LONG);
  await expect(card.getByRole('log')).toContainText('step 400');
  await card.getByRole('button', { name: /^Checkpoints/ }).click();
  await expect(card.getByText('Step 400', { exact: true })).toBeVisible();
  await expectNoSeriousFault(page);
  await card.scrollIntoViewIfNeeded();
  await shot(page, '12-training-completed');
  await card.getByRole('button', { name: 'Discover Features' }).click();
});

test('features are discovered and one is opened', async () => {
  // Comparing the contexts of 128 features by embeddings takes a minute and a half of two cores.
  await page.getByLabel('Features compared by embeddings', { exact: true }).fill('8');
  await page.getByRole('button', { name: 'Extract Features' }).click();
  const table = page.getByRole('region', { name: 'Features', exact: true });
  await expect(table.getByRole('row').nth(5)).toBeVisible(LONG);
  await table.scrollIntoViewIfNeeded();
  await expectNoSeriousFault(page);
  await shot(page, '13-features');
  await page
    .getByRole('button', { name: /^Open feature/ })
    .first()
    .click();
  const dialog = page.getByRole('dialog', { name: /^Feature #/ });
  await expect(dialog.getByText('Top Activating Contexts')).toBeVisible();
  await expectNoSeriousFault(page);
  await shot(page, '14-feature');
  await dialog.getByRole('tab', { name: 'Logit Lens' }).click();
  await expect(dialog.getByRole('listitem').first()).toBeVisible();
  await shot(page, '15-logit-lens');
  await dialog.getByRole('button', { name: 'Steer with this feature' }).click();
});

test('the feature steers the model', async () => {
  await expect(page.getByText('Selected Features (1)')).toBeVisible();
  await page.getByLabel('Prompt', { exact: true }).fill('The happy cat went to the');
  await page.getByLabel('Max tokens', { exact: true }).fill('24');
  await page.getByRole('button', { name: /^Amplify/ }).click();
  await expectNoSeriousFault(page);
  await page.getByRole('button', { name: 'Generate Comparison' }).click();
  const metrics = page.getByRole('region', { name: 'Comparison metrics' });
  await expect(metrics).toBeVisible(LONG);
  await expect(metrics.getByText(/^KL/).first()).toBeVisible();
  await expect(page.getByRole('region', { name: 'Unsteered (Baseline)' })).toBeVisible();
  await metrics.scrollIntoViewIfNeeded();
  await expectNoSeriousFault(page);
  await shot(page, '16-steering');
});

test('it acts where it is told to, beside what the reconstruction alone does', async () => {
  await page.getByRole('button', { name: 'Where it acts' }).click();
  const positions = page.getByRole('textbox', { name: 'Only at positions' });
  await positions.fill('2-x');
  await expect(page.getByText(/^Whole numbers and ranges/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Generate Comparison' })).toBeDisabled();
  await positions.fill('2-4');
  await page.getByRole('textbox', { name: 'Only at these tokens' }).fill(' cat');
  await expect(page.getByText(/^Read as/)).toBeVisible();
  await page.getByRole('textbox', { name: 'Only at these tokens' }).fill('');
  await page.getByRole('button', { name: 'Reconstruction', exact: true }).click();
  await page.getByRole('button', { name: 'Generate Comparison' }).click();
  const figures = page.getByRole('region', { name: 'Figures of the reconstruction' });
  await expect(figures).toBeVisible(LONG);
  await expect(page.getByRole('region', { name: 'Reconstruction only' })).toBeVisible();
  await expect(page.getByText(/The edit acted on 3 positions/)).toBeVisible();
  await expectNoSeriousFault(page);
  await shot(page, '17-reconstruction');
});

test('a link opens the same view, and the browser complained of nothing', async () => {
  const url = page.url();
  await page.goto(url);
  await expect(page.getByText('Selected Features (1)')).toBeVisible();
  await expect(page.getByLabel('Prompt', { exact: true })).toHaveValue('The happy cat went to the');
  // Chromium itself logs the refused import (400) and what was asked while the API was away.
  // Whether that is no answer, half a one or a refusal, depends on the moment at which it was killed.
  const expected =
    /status of 400|ERR_(CONNECTION|EMPTY_RESPONSE|SOCKET_NOT_CONN|CONTENT_LENGTH|INCOMPLETE_CHUNKED)|WebSocket|status of 50/;
  const own = errors.filter((text) => !expected.test(text));
  expect(own).toEqual([]);
});
