import { describe, expect, it } from 'vitest';
import { makeTraining } from '@/test/factories';
import { comparedRuns, differences, MAX_RUNS, readRuns, toggledRuns } from './comparedRuns';

const one = makeTraining({ id: 'a', hyperparameters: { k: 16, seed: 0, learning_rate: null } });
const two = makeTraining({ id: 'b', hyperparameters: { k: 32, seed: 0, learning_rate: 1e-3 } });

describe('the chosen runs', () => {
  it('are read from the address, each once', () => {
    expect(readRuns('a,b,a,')).toEqual(['a', 'b']);
    expect(readRuns(null)).toEqual([]);
  });

  it('are added and taken out; the oldest makes room', () => {
    expect(toggledRuns(['a'], 'b')).toEqual(['a', 'b']);
    expect(toggledRuns(['a', 'b'], 'a')).toEqual(['b']);
    const full = Array.from({ length: MAX_RUNS }, (_, index) => String(index));
    expect(toggledRuns(full, 'x')).toEqual([...full.slice(1), 'x']);
  });

  it('get letters and colours in their order; what is gone is left out', () => {
    const runs = comparedRuns(['b', 'gone', 'a'], [one, two]);
    expect(runs.map(({ letter, training }) => letter + training.id)).toEqual(['Ab', 'Ba']);
    expect(new Set(runs.map(({ color }) => color)).size).toBe(2);
  });
});

it('tells only what the runs do differently', () => {
  expect(differences(comparedRuns(['a', 'b'], [one, two]))).toEqual([
    { name: 'k', values: ['16', '32'] },
    { name: 'learning_rate', values: ['automatic', '0.001'] },
  ]);
});
