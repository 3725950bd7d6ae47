import { expect, test, type Page } from '@playwright/test';
import { whileHeld } from './faults';
import { unzip } from './python';
import { collectErrors, expectNoSeriousFault, shot } from './page';

const LONG = { timeout: 240_000 };

/** The newest training whose features were discovered. */
async function trainingWithFeatures(page: Page): Promise<string> {
  const answer = await page.request.get('/api/v1/trainings?limit=100');
  const { data } = (await answer.json()) as { data: { id: string; n_features: number }[] };
  return data.find(({ n_features: n }) => n > 0)?.id ?? '';
}

test('four dictionaries are trained in one run', async ({ page }) => {
  const errors = collectErrors(page);
  await page.goto('/?tab=training');
  await expect(page.getByLabel('Model', { exact: true })).toContainText('glass-en');
  await page.getByLabel('Active Latents (k)', { exact: true }).fill('8');
  await page.getByLabel('Training Steps', { exact: true }).fill('60');
  await page.getByLabel('Expansion Factor', { exact: true }).selectOption('4x');
  await page.getByLabel('Batch Size', { exact: true }).selectOption('256');
  await page.getByRole('button', { name: 'Several at Once' }).click();
  await page.getByLabel('Values of k', { exact: true }).fill('4, 8, x');
  await expect(page.getByText('Different whole numbers, with commas between')).toBeVisible();
  await page.getByLabel('Values of k', { exact: true }).fill('4, 8');
  await page.getByLabel('Seeds', { exact: true }).fill('0, 1');
  await expect(page.getByRole('button', { name: /4 dictionaries/ })).toBeVisible();
  await page.getByRole('button', { name: /4 dictionaries/ }).scrollIntoViewIfNeeded();
  await expectNoSeriousFault(page);
  await shot(page, '50-several-at-once');

  // The list tells its length once it was read.
  await expect(page.getByRole('heading', { name: /^Training Jobs \(/ })).toBeVisible();
  const before = await page.getByRole('article').count();
  await page.getByRole('button', { name: 'Start 4 Trainings' }).click();
  await expect(page.getByRole('article')).toHaveCount(before + 4);
  for (const name of ['k 4, seed 0', 'k 4, seed 1', 'k 8, seed 0', 'k 8, seed 1']) {
    const card = page.getByRole('article', { name: new RegExp(name) }).first();
    await expect(card.getByText('Completed')).toBeVisible(LONG);
  }
  await page.getByRole('heading', { name: /^Training Jobs/ }).scrollIntoViewIfNeeded();
  await expectNoSeriousFault(page);
  await shot(page, '51-four-trainings');
  expect(errors).toEqual([]);
});

test('strengths are swept, and the best is kept as a preset', async ({ page }) => {
  const errors = collectErrors(page);
  const training = await trainingWithFeatures(page);
  await page.goto(`/?tab=features&training=${training}`);
  const table = page.getByRole('region', { name: 'Features', exact: true });
  await expect(table.getByRole('button', { name: /^Open feature/ }).first()).toBeVisible();
  await table
    .getByRole('button', { name: /^Steer with feature/ })
    .first()
    .click();
  await expect(page.getByText('Selected Features (1)')).toBeVisible();
  await page.getByRole('button', { name: 'Sweep', exact: true }).click();
  await page
    .getByLabel('Prompts, one per line', { exact: true })
    .fill('The happy cat went to the\nThe sad dog saw');
  await page.getByLabel('Strengths', { exact: true }).fill('0.5, 1, 2');
  await page.getByLabel('Max tokens', { exact: true }).fill('12');
  await expectNoSeriousFault(page);
  await shot(page, '52-sweep-configuration');
  await page.getByRole('button', { name: 'Sweep Strengths' }).click();
  const sweep = page.getByRole('region', { name: /^Sweep of feature/ });
  await expect(sweep).toBeVisible(LONG);
  await expect(page.getByText(/2 of 2 prompts done/)).toBeVisible(LONG);
  await sweep.scrollIntoViewIfNeeded();
  await expectNoSeriousFault(page);
  await shot(page, '53-sweep');
  await page.screenshot({ path: 'test-results/screens/53-sweep-whole.png', fullPage: true });

  await page.reload();
  await expect(page.getByLabel('Strengths', { exact: true })).toHaveValue('0.5, 1, 2');
  await expect(page.getByLabel('Prompts, one per line', { exact: true })).toHaveValue(
    /The sad dog saw/,
  );
  await expect(sweep).toBeVisible();

  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByRole('button', { name: /^Steering Presets/ }).click();
  await page.getByLabel('Name', { exact: true }).fill('cats');
  await page.getByRole('button', { name: 'Save Current Config' }).click();
  await expect(page.getByRole('button', { name: 'Load cats' })).toBeVisible();
  await expectNoSeriousFault(page);
  await shot(page, '54-presets');
  const chosen = page.getByRole('region', { name: 'Select features to steer' });
  await chosen.getByRole('button', { name: /^Remove / }).click();
  await expect(page.getByText('Selected Features (0)')).toBeVisible();
  await page.getByRole('button', { name: 'Load cats' }).click();
  await expect(page.getByText('Selected Features (1)')).toBeVisible();
  expect(errors).toEqual([]);
});

test('a dictionary goes out as a SAELens folder and comes back, proved to be the same', async ({
  page,
}) => {
  const errors = collectErrors(page);
  await page.goto('/?tab=training&new_sae=import&sae_from=path');
  const begun = page.waitForEvent('download', LONG);
  await page.getByRole('button', { name: 'Export SAELens' }).first().click();
  const archive = await begun;
  expect(archive.suggestedFilename()).toMatch(/-step\d+\.zip$/);
  const folder = unzip(await archive.path());

  await expect(page.getByLabel('Model', { exact: true })).toContainText('glass-en');
  await page.getByLabel('Path', { exact: true }).fill(folder);
  await page.getByLabel('Name (optional)', { exact: true }).fill('back again');
  await expectNoSeriousFault(page);
  await shot(page, '55-import-dictionary');
  await page.getByRole('button', { name: 'Import Dictionary' }).click();
  const card = page.getByRole('article', { name: 'back again', exact: true });
  const proof = card.getByRole('region', { name: 'Proof of the import' });
  await expect(proof.getByText('Yes', { exact: true })).toBeVisible(LONG);
  await expect(card.getByRole('region', { name: 'Held-out evaluation' })).toBeVisible(LONG);
  await expect(card.getByRole('button', { name: 'Discover Features' })).toBeEnabled();
  await expectNoSeriousFault(page);
  await shot(page, '56-imported-dictionary');
  expect(errors).toEqual([]);
});

test('what is stored of features is what the model computes again', async ({ page }) => {
  const errors = collectErrors(page);
  const training = await trainingWithFeatures(page);
  await page.goto(`/?tab=features&training=${training}`);
  const measure = page.getByRole('button', { name: 'Measure', exact: true });
  await measure.click();
  await expectNoSeriousFault(page);
  const progress = page.getByText('Recomputing examples…');
  // A hundred examples may be recomputed before anybody looks, so their worker waits for that.
  await whileHeld('worker-analysis', async () => {
    await page.getByRole('button', { name: 'Audit Examples' }).click();
    await expect(progress).toBeVisible();
    // The panel closes once the job is known; a press before that would close it, not open it.
    await expect(measure).toHaveAttribute('aria-expanded', 'false');
  });
  await expect(progress).toBeHidden(LONG);
  await measure.click();
  const verdict = page.getByText(/examples came out the same/);
  await expect(verdict).toHaveText(/^(\d+) of \1 examples/);
  await expectNoSeriousFault(page);
  await shot(page, '57-audit');
  expect(errors).toEqual([]);
});
