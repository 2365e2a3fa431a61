"""What a policy would do: how each kind of households answers it, in per cent of consumption, with intervals."""
