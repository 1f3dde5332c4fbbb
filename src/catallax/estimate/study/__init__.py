"""Studies: many markets, priors, sizes, mechanisms and seeds from one file.

`read_study` reads the file, `run_study` computes what is missing, here or on a cluster, and
`load_results` returns what is there.
"""

from catallax.estimate.study.cells import FIELDS, Cell, cells_of, compute_cell, quantile_field
from catallax.estimate.study.cluster import ClusterError
from catallax.estimate.study.definition import Options, Setting, Study
from catallax.estimate.study.document import read_study, study_of_text
from catallax.estimate.study.fingerprint import code_fingerprint, versions
from catallax.estimate.study.results import Average, StudyResults, default_folder, load_results
from catallax.estimate.study.rules import Rule
from catallax.estimate.study.runner import StudyError, StudyRun, run_study
from catallax.estimate.study.workers import OtherCodeError

__all__ = [
    "FIELDS",
    "Average",
    "Cell",
    "ClusterError",
    "Options",
    "OtherCodeError",
    "Rule",
    "Setting",
    "Study",
    "StudyError",
    "StudyResults",
    "StudyRun",
    "cells_of",
    "code_fingerprint",
    "compute_cell",
    "default_folder",
    "load_results",
    "quantile_field",
    "read_study",
    "run_study",
    "study_of_text",
    "versions",
]
