"""ML-DSA-44 (FIPS 204, 4): mldsa87.py with the smaller set's numbers.  Witnesses cosign with it."""
import importlib.util

_spec = importlib.util.find_spec("mldsa87")
_small = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_small)  # a copy of its own, so that the numbers stay apart
_small.TAU, _small.K, _small.L, _small.OMEGA = 39, 4, 4, 80
_small.GAMMA1, _small.GAMMA2 = 1 << 17, (_small.Q - 1) // 88
_small.BETA, _small.C_BYTES = _small.TAU * _small.ETA, 32
_small.Z_BITS, _small.W1_BITS = 18, 6
Key = _small.Key
