import { emptyFeatureData, useFeatureStore } from '@/stores/featureStore';
import { useJobStore } from '@/stores/jobStore';
import { defaultConfig, useSteeringStore } from '@/stores/steeringStore';
import { useTrainingStore } from '@/stores/trainingStore';
import { useUiStore } from '@/stores/uiStore';
import { makeTraining } from './factories';
import { answer, answerPage } from './featureApi';
import {
  makeExample,
  makeFeature,
  makeFeatureRow,
  makeLens,
  TRAINING_ID,
} from './featureFactories';

export const rows = [
  makeFeatureRow({ id: 7, neuron_index: 107, name: 'number' }),
  makeFeatureRow({ id: 8, neuron_index: 108, name: null, label: null, top_example: null }),
];

export const training = makeTraining({ id: TRAINING_ID, status: 'completed', n_features: 2 });

/** Empty stores, and a server with one training and its two features. */
export function prepareFeatures(): void {
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
}
