import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { realtime } from '@/services/websocket';
import { emptyFeatureData, useFeatureStore } from '@/stores/featureStore';
import { useJobStore } from '@/stores/jobStore';
import { defaultConfig, useSteeringStore } from '@/stores/steeringStore';
import { useTrainingStore } from '@/stores/trainingStore';
import { useUiStore } from '@/stores/uiStore';
import { jobEvent, makeJob, makeTraining } from '@/test/factories';
import { answer, answerPage, refuse } from '@/test/featureApi';
import {
  makeExample,
  makeFeature,
  makeFeatureRow,
  makeLens,
  TRAINING_ID,
} from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { FeaturesPanel } from './FeaturesPanel';

const rows = [
  makeFeatureRow({ id: 7, neuron_index: 107, name: 'number' }),
  makeFeatureRow({ id: 8, neuron_index: 108, name: null, label: null, top_example: null }),
];
const training = makeTraining({ id: TRAINING_ID, status: 'completed', n_features: 2 });

beforeEach(() => {
  useFeatureStore.setState(emptyFeatureData);
  useTrainingStore.setState({ items: null, problem: null });
  useJobStore.setState({ byId: {} });
  useSteeringStore.setState({ config: defaultConfig, known: {} });
  useUiStore.setState({ toasts: [] });
  answerPage('/trainings', [training]);
  answerPage('/jobs', []);
  answerPage('/features', rows);
  answer('get', '/features/7', makeFeature());
  answer('get', '/features/8', makeFeature({ id: 8, neuron_index: 108, name: null }));
  answer('get', '/features/:id/activations', [makeExample(), makeExample({ rank: 1 })]);
  answer('get', '/features/:id/logit-lens', makeLens());
});

const openDetail = async () => {
  window.history.replaceState(null, '', '?feature=7');
  const rendered = renderWithUser(<FeaturesPanel />);
  await screen.findByRole('dialog', { name: /Feature #107/ });
  await screen.findByText(/Top Activating Contexts/);
  return rendered;
};

describe('choosing a training', () => {
  it('asks to complete one when there is none', async () => {
    answerPage('/trainings', [makeTraining({ status: 'training' })]);
    const { user } = renderWithUser(<FeaturesPanel />);
    await screen.findByText('No training to analyse yet');
    await user.click(screen.getByRole('button', { name: 'Go to Training' }));
    expect(window.location.search).toContain('tab=training');
  });

  it('says why trainings could not be read and tries again', async () => {
    refuse('get', '/trainings', 503, { code: 'SERVICE_UNAVAILABLE', message: 'Database away.' });
    const { user } = renderWithUser(<FeaturesPanel />);
    await screen.findByText('Database away.');
    answerPage('/trainings', [training]);
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('glass-en')).toBeVisible();
  });
});

describe('discovery', () => {
  beforeEach(() => answerPage('/trainings', [{ ...training, n_features: 0 }]));

  it('sends the settings of the form', async () => {
    const bodies = answer('post', '/features/extract', { job_id: 'j' }, 202);
    const { user } = renderWithUser(<FeaturesPanel />);
    const examples = await screen.findByRole('textbox', { name: 'Examples per feature' });
    await user.clear(examples);
    await user.type(examples, '30');
    await user.click(screen.getByRole('button', { name: 'Extract Features' }));
    await waitFor(() => expect(bodies).toHaveLength(1));
    expect(bodies[0]).toMatchObject({ training_id: TRAINING_ID, examples_per_feature: 30 });
  });

  it('does not send what the bounds forbid', async () => {
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.type(await screen.findByRole('textbox', { name: 'Examples per feature' }), '999');
    expect(screen.getByText('At most 200')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Extract Features' })).toBeDisabled();
  });

  it('shows a refusal where it arose', async () => {
    refuse('post', '/features/extract', 409, { code: 'NOT_READY', message: 'It still runs.' });
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Extract Features' }));
    expect(await screen.findByText('It still runs.')).toBeVisible();
    expect(screen.getByText('NOT_READY')).toBeVisible();
  });

  it('shows progress, and the table when the pass is done', async () => {
    const job = makeJob({ kind: 'feature_extract', resource_id: TRAINING_ID, progress: 37 });
    useJobStore.setState({ byId: { [job.id]: job } });
    const listeners = new Set<(event: never) => void>();
    vi.spyOn(realtime, 'on').mockImplementation((name, handler) => {
      if (name === 'job.updated') listeners.add(handler);
      return () => listeners.delete(handler);
    });
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('37 %')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Extract Features' })).toBeNull();

    answerPage('/trainings', [training]);
    const result = { n_features: 2, n_alive: 1, n_tokens: 50_000, mean_l0: 31.5, seconds: 3 };
    const done = makeJob({ ...job, state: 'succeeded', seq: 9, result });
    answerPage('/jobs', [done]);
    act(() => {
      useJobStore.setState({ byId: { [job.id]: done } });
      for (const hear of listeners) hear(jobEvent(done) as never);
    });
    expect(await screen.findByText('50.0 %')).toBeVisible();
    expect(screen.getByText('50K')).toBeVisible();
    expect(await screen.findByRole('button', { name: 'Open feature 107' })).toBeVisible();
  });
});

describe('the table', () => {
  it('shows figures, context and what was not measured', async () => {
    const { container } = renderWithUser(<FeaturesPanel />);
    const row = (await screen.findByRole('button', { name: 'Open feature 107' })).closest('tr')!;
    expect(row).toHaveTextContent('1.23 %');
    expect(row).toHaveTextContent('4.25');
    expect(within(row).getByTitle('·number 4.250')).toHaveStyle({ color: 'rgb(255,255,255)' });
    expect(screen.getByText('Never fired')).toBeVisible();
    expect(screen.getByText('Not measured')).toBeVisible();
    await expectAccessible(container);
  });

  it('asks the server for search, order and favourites and keeps them in the address', async () => {
    const queries = answerPage('/features', rows);
    const { user } = renderWithUser(<FeaturesPanel />);
    await screen.findByRole('button', { name: 'Open feature 107' });
    await user.selectOptions(screen.getByRole('combobox', { name: 'Sort by' }), 'Max activation');
    await user.click(screen.getByRole('button', { name: /Descending/ }));
    await user.click(screen.getByRole('button', { name: 'Favourites' }));
    await user.type(screen.getByRole('searchbox'), 'num');
    await waitFor(() => expect(queries.at(-1)!.get('search')).toBe('num'));
    expect(Object.fromEntries(queries.at(-1)!)).toMatchObject({
      sort_by: 'max_activation',
      order: 'asc',
      is_favorite: 'true',
    });
    expect(window.location.search).toContain('fq=num');
  });

  it('offers a way back from a filter that nothing matches', async () => {
    window.history.replaceState(null, '', '?fq=zzz');
    answerPage('/features', []);
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Show all features' }));
    expect(window.location.search).not.toContain('fq');
  });

  it('says why the page could not be read', async () => {
    refuse('get', '/features', 500, { code: 'INTERNAL_ERROR', message: 'Something broke.' });
    const { user } = renderWithUser(<FeaturesPanel />);
    await screen.findByText('Something broke.');
    answerPage('/features', rows);
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('button', { name: 'Open feature 108' })).toBeVisible();
  });

  it('marks a favourite at once and takes it back when it cannot be saved', async () => {
    refuse('patch', '/features/7', 500, { code: 'INTERNAL_ERROR', message: 'Disk full.' });
    const { user } = renderWithUser(<FeaturesPanel />);
    const star = await screen.findByRole('button', { name: 'Favourite feature 107' });
    await user.click(star);
    await waitFor(() => expect(useUiStore.getState().toasts).toHaveLength(1));
    expect(star).toHaveAttribute('aria-pressed', 'false');
  });

  it('works by keyboard', async () => {
    const { user } = renderWithUser(<FeaturesPanel />);
    const first = await screen.findByRole('button', { name: 'Open feature 107' });
    await user.keyboard('j');
    expect(first).toHaveFocus();
    await user.keyboard('jk/');
    expect(screen.getByRole('searchbox')).toHaveFocus();
    first.focus();
    await user.keyboard('s');
    expect(useSteeringStore.getState().config.steered).toEqual([
      { id: 7, coefficient: 1, unit: 'max_multiple' },
    ]);
    expect(window.location.search).toContain('tab=steering');
  });

  it('draws and fetches only what is in sight, and keeps its height', async () => {
    const many = Array.from({ length: 100 }, (_, i) =>
      makeFeatureRow({ id: i + 1, neuron_index: i + 1 }),
    );
    const queries = answerPage('/features', many, true, 131_072);
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('131,072 features')).toBeVisible();
    const box = screen.getByRole('region', { name: 'Features' });
    expect(within(box).getAllByRole('row').length).toBeLessThan(40);
    expect(within(box).getByRole('table')).toHaveAttribute('aria-rowcount', '131073');
    fireEvent.scroll(box, { target: { scrollTop: 60 * 100_000 } });
    await waitFor(() => expect(queries.at(-1)!.get('page')).toBe('1001'));
    expect(await within(box).findByRole('button', { name: 'Open feature 10' })).toBeVisible();
  });

  it('sorts by a heading, and has the columns that were chosen', async () => {
    const queries = answerPage('/features', rows);
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Max act.' }));
    await waitFor(() => expect(queries.at(-1)!.get('sort_by')).toBe('max_activation'));
    await user.click(screen.getByRole('button', { name: 'Columns' }));
    await user.click(screen.getByRole('checkbox', { name: 'Firings' }));
    await user.click(screen.getByRole('checkbox', { name: 'Example context' }));
    expect(screen.getByRole('columnheader', { name: 'Firings' })).toBeVisible();
    expect(screen.queryByRole('columnheader', { name: 'Example context' })).toBeNull();
    expect(window.location.search).toContain('cols=label.frequency.max.fires');
    window.localStorage.clear();
  });

  it('names the filters, each with its own way out', async () => {
    window.history.replaceState(null, '', '?fq=num&favourites=1');
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Remove the favourites filter' }));
    await user.click(screen.getByRole('button', { name: 'Remove the search' }));
    expect(window.location.search).toBe('');
  });

  it('compares two features side by side', async () => {
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Compare feature 107' }));
    expect(screen.getByRole('button', { name: 'Side by side' })).toBeDisabled();
    (await screen.findByRole('button', { name: 'Open feature 108' })).focus();
    await user.keyboard('c');
    expect(window.location.search).toContain('compare=7.8');
    await user.click(screen.getByRole('button', { name: 'Side by side' }));
    const dialog = await screen.findByRole('dialog', { name: 'Compare features' });
    expect(await within(dialog).findByRole('article', { name: 'Feature #108' })).toBeVisible();
    await within(dialog).findAllByText('Strongest contexts');
    await expectAccessible(dialog);
    await user.keyboard('{Escape}');
    await user.click(screen.getByRole('button', { name: 'Clear' }));
    expect(screen.queryByRole('region', { name: 'Compare tray' })).toBeNull();
  });
});

describe('the detail', () => {
  it('opens from a row and closes with Esc', async () => {
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByText('number', { selector: 'div' }));
    await screen.findByRole('dialog', { name: /Feature #107/ });
    expect(window.location.search).toContain('feature=7');
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('shows the examples', async () => {
    await openDetail();
    expect(screen.getAllByText(/document/)).toHaveLength(2);
    expect(screen.getByText('of 50K measured')).toBeVisible();
    await expectAccessible(screen.getByRole('dialog'));
  });

  it('shows promoted and suppressed tokens with their definition', async () => {
    const { user } = await openDetail();
    await user.click(screen.getByRole('tab', { name: 'Logit Lens' }));
    const promoted = await screen.findByRole('region', { name: 'Promoted tokens' });
    expect(promoted).toHaveTextContent('“·of”+2.50');
    expect(screen.getByText(/Direct effect/)).toBeVisible();
    expect(window.location.search).toContain('ftab=lens');
    await expectAccessible(screen.getByRole('dialog'));
  });

  it('shows histogram, quantiles and top tokens', async () => {
    const { user } = await openDetail();
    await user.click(screen.getByRole('tab', { name: 'Statistics' }));
    expect(await screen.findByRole('img', { name: /615 values/ })).toBeVisible();
    expect(screen.getByText('99 % lie below')).toBeVisible();
    expect(screen.getByText('“·number”')).toBeVisible();
    await expectAccessible(screen.getByRole('dialog'));
  });

  it('saves a label and offers to undo it', async () => {
    const bodies = answer('patch', '/features/7', makeFeature({ name: 'counts' }));
    const { user } = await openDetail();
    await user.keyboard('e');
    const field = screen.getByRole('textbox', { name: 'label' });
    await user.clear(field);
    await user.type(field, 'counts{Enter}');
    await waitFor(() => expect(bodies).toEqual([{ name: 'counts' }]));
    await waitFor(() => expect(useUiStore.getState().toasts[0]?.action?.label).toBe('Undo'));
    act(() => useUiStore.getState().toasts[0]!.action!.onClick());
    await waitFor(() => expect(bodies.at(-1)).toEqual({ name: 'number' }));
  });

  it('keeps the old text on Esc and stays open', async () => {
    const { user } = await openDetail();
    await user.click(screen.getByRole('button', { name: 'Edit description' }));
    await user.type(screen.getByRole('textbox', { name: 'description' }), 'abc{Escape}');
    expect(screen.getByRole('button', { name: 'Edit description' })).toHaveTextContent(
      'Add a description',
    );
    expect(screen.getByRole('dialog')).toBeVisible();
  });

  it('goes to the next and previous feature of the table', async () => {
    const { user } = await openDetail();
    await waitFor(() => expect(screen.getByRole('button', { name: /Next feature/ })).toBeEnabled());
    await user.keyboard('j');
    await screen.findByRole('dialog', { name: /Feature #108/ });
    await user.keyboard('k');
    await screen.findByRole('dialog', { name: /Feature #107/ });
  });

  it('steers with the feature', async () => {
    const { user } = await openDetail();
    await user.click(screen.getByRole('button', { name: 'Steer with this feature' }));
    expect(useSteeringStore.getState().known[7]?.neuron_index).toBe(107);
    expect(window.location.search).toContain('tab=steering');
  });

  it('says what is wrong when a feature or its examples cannot be read', async () => {
    refuse('get', '/features/99', 404, { code: 'NOT_FOUND', message: 'No such feature.' });
    refuse('get', '/features/:id/activations', 404, { code: 'NOT_FOUND', message: 'Gone.' });
    window.history.replaceState(null, '', '?feature=99');
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('No such feature.')).toBeVisible();
  });

  it('says that a dead feature never fired', async () => {
    answer('get', '/features/:id/activations', []);
    window.history.replaceState(null, '', '?feature=7');
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('This feature never fired')).toBeVisible();
  });
});
