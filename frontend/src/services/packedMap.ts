import type { FeatureMap, PackedMap } from '@/types/feature.types';

/** Takes the packed columns as they are: nothing is done for each feature. */
export function unpackMap({ columns, duplicates, layout, n_clusters }: PackedMap): FeatureMap {
  let lines: readonly string[] | null = null;
  return {
    layout,
    nClusters: n_clusters,
    ids: new Float64Array(bytesOf(columns.ids)),
    neuronIndex: new Int32Array(bytesOf(columns.neuron_index)),
    x: new Float32Array(bytesOf(columns.x)),
    y: new Float32Array(bytesOf(columns.y)),
    cluster: new Int32Array(bytesOf(columns.cluster)),
    frequency: new Float32Array(bytesOf(columns.activation_frequency)),
    largest: new Float32Array(bytesOf(columns.max_activation)),
    // Cut when the first is asked for, which may be never.
    nameAt: (place) => {
      lines ??= columns.names.split('\n');
      const name = lines[place] ?? '';
      return name === '' ? null : name;
    },
    duplicates,
  };
}

function bytesOf(base64: string): ArrayBuffer {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes.buffer;
}
