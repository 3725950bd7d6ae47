import { expect, it } from 'vitest';
import { makeActivation, makeDataset, makeJob, makeModel, makeTraining } from '@/test/factories';
import { subjectOf } from './jobSubjects';

const dataset = makeDataset({ name: 'stories' });
const model = makeModel({ name: 'glass' });
const store = makeActivation({ model_name: 'glass', dataset_name: 'stories', layers: [1, 2] });
const training = makeTraining({ name: 'first run' });
const resources = {
  datasets: [dataset],
  models: [model],
  activations: [store],
  trainings: [training],
};

it.each([
  ['dataset', dataset.id, 'stories'],
  ['model', model.id, 'glass'],
  ['activation', store.id, 'glass on stories, layers 1, 2'],
  ['training', training.id, 'first run'],
  ['training', 'gone', null],
] as const)('names the %s %s', (type, id, name) => {
  expect(subjectOf(makeJob({ resource_type: type, resource_id: id }), resources)).toBe(name);
});

it('names a steering run by the beginning of its prompt, also while it runs', () => {
  const of = (prompt: string | null) =>
    subjectOf(makeJob({ resource_type: null, resource_id: null, result: null, prompt }), resources);
  expect(of('Once upon a time')).toBe('“Once upon a time”');
  expect(of(null)).toBeNull();
});
