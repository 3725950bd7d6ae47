import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';
import {
  makeActivation,
  makeDataset,
  makeEstimate,
  makeModel,
  makeTraining,
} from '@/test/factories';
import { renderWithUser } from '@/test/render';
import { answer, answerPage, refuse } from '@/test/server';
import { TrainingConfig } from './TrainingConfig';

const model = makeModel();
const dataset = makeDataset();
const store = makeActivation({ model_id: model.id, dataset_id: dataset.id });
const form = <TrainingConfig datasets={[dataset]} models={[model]} activations={[store]} />;

beforeEach(() => {
  window.history.replaceState(null, '', '/');
  answerPage('/templates/training', []);
});

it('says beforehand what it will take, and takes over what fits', async () => {
  const proposal = { hyperparameters: { batch_size: 512, unknown: 1 } };
  const seen = answer(
    'post',
    '/trainings/estimate',
    makeEstimate({ fit: 'does_not_fit', proposal }),
  );
  const { user } = renderWithUser(form);
  const box = await screen.findByRole('region', { name: 'Estimate' });
  await user.click(await within(box).findByRole('button', { name: 'Use What Fits' }));
  expect(screen.getByRole('combobox', { name: 'Batch Size' })).toHaveValue('512');
  await waitFor(() => expect(seen).toHaveLength(2));
  expect(seen[1]?.body).toMatchObject({ hyperparameters: { batch_size: 512 } });
});

it('asks nothing while the form is not whole, and says why there is no estimate', async () => {
  refuse('post', '/trainings/estimate', { code: 'NOT_READY', message: 'The store is gone.' }, 409);
  const { user } = renderWithUser(form);
  expect(await screen.findByText('The store is gone.')).toBeVisible();
  await user.clear(screen.getByRole('textbox', { name: 'Training Steps' }));
  expect(await screen.findByText(/as soon as the form is filled in/)).toBeVisible();
});

it('starts every combination of further values in one run', async () => {
  answer('post', '/trainings/grid/estimate', makeEstimate());
  const ids = ['t1', 't2', 't3', 't4'];
  const trainings = ids.map((id) => ({ training_id: id, status: 'initializing', job_id: 'j' }));
  const seen = answer('post', '/trainings/grid', { job_id: 'j', trainings });
  for (const id of ids) answer('get', `/trainings/${id}`, makeTraining({ id }));
  const { user } = renderWithUser(form);
  await user.click(screen.getByRole('button', { name: 'Several at Once' }));
  await user.type(screen.getByRole('textbox', { name: 'Values of k' }), '16, 64');
  await user.type(screen.getByRole('textbox', { name: 'Seeds' }), '1');
  expect(screen.getByRole('button', { name: 'Start 2 Trainings' })).toBeEnabled();
  await user.type(screen.getByRole('textbox', { name: 'Seeds' }), ' 2');
  await user.click(screen.getByRole('button', { name: 'Start 4 Trainings' }));
  await waitFor(() => expect(seen).toHaveLength(1));
  const variants = [
    { name: 'k 16, seed 1', hyperparameters: { k: 16, seed: 1 } },
    { name: 'k 16, seed 2', hyperparameters: { k: 16, seed: 2 } },
    { name: 'k 64, seed 1', hyperparameters: { k: 64, seed: 1 } },
    { name: 'k 64, seed 2', hyperparameters: { k: 64, seed: 2 } },
  ];
  expect(seen[0]?.body).toMatchObject({ variants });
});

it('says what is wrong with further values', async () => {
  answer('post', '/trainings/estimate', makeEstimate());
  const { user } = renderWithUser(form);
  await user.click(screen.getByRole('button', { name: 'Several at Once' }));
  await user.type(screen.getByRole('textbox', { name: 'Seeds' }), '1, x');
  expect(screen.getByRole('textbox', { name: 'Seeds' })).toBeInvalid();
  expect(screen.getByRole('textbox', { name: 'Values of k' })).toBeValid();
  expect(screen.getByText('Different whole numbers, with commas between')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Start Training' })).toBeDisabled();
});

it('stands in the address as it was filled in, and is the same after a reload', async () => {
  const seen = answer('post', '/trainings/estimate', makeEstimate());
  const { user, unmount } = renderWithUser(form);
  await user.selectOptions(screen.getByRole('combobox', { name: 'Encoder Type' }), 'Transcoder');
  await user.selectOptions(screen.getByRole('combobox', { name: 'Encoder Type' }), 'skip');
  await user.selectOptions(screen.getByRole('combobox', { name: 'Dataset' }), dataset.name);
  await user.selectOptions(screen.getByRole('combobox', { name: 'Batch Size' }), '512');
  const steps = screen.getByRole('textbox', { name: 'Training Steps' });
  await user.clear(steps);
  await user.type(steps, '4000');
  await waitFor(() => expect(window.location.search).toContain('t_training_steps=4000'));
  const address = new URLSearchParams(window.location.search);
  expect(Object.fromEntries(address)).toEqual({
    t_encoder: 'skip',
    t_dataset: dataset.id,
    t_model: model.id,
    t_batch_size: '512',
    t_training_steps: '4000',
  });

  // The last that this form asks for; one that came later would pass for the next form's.
  const filledIn = {
    encoder_type: 'skip',
    hyperparameters: { batch_size: 512, training_steps: 4000 },
  };
  await waitFor(() => expect(seen.at(-1)?.body).toMatchObject(filledIn));
  unmount();
  seen.length = 0;
  renderWithUser(form);
  expect(screen.getByRole('combobox', { name: 'Encoder Type' })).toHaveValue('skip');
  expect(screen.getByRole('textbox', { name: 'Training Steps' })).toHaveValue('4000');
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.body).toMatchObject(filledIn);
});
