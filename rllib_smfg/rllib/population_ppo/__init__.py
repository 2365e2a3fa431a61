"""The AI Economist (Zheng et al. 2022): proximal policy optimisation of both sides, for any number of households."""
