"""Pure knowledge of a graph before it runs: what its code touches, who follows whom, what may run ahead."""
