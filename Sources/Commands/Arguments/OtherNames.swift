// Options as other programs call them: who types one is told what it is here.

/// What to type instead of an option that is none of ours; nil where nobody knows.
func hint(forUnknown option: String) -> String? {
  let name = option.drop { $0 == "-" }.lowercased().split(separator: "=").first.map(String.init) ?? ""
  let word = name.replacing("_", with: "-")
  return otherNames.first { $0.names.contains(word) }?.hint
}

private let otherNames: [(names: Set<String>, hint: String)] = [
  (
    [
      "batch-size", "batchsize", "batch", "bs", "b", "minibatch", "mini-batch", "mini-batch-size",
      "minibatch-size",
      "per-device-batch-size", "per-device-train-batch-size", "train-batch-size",
    ], "did you mean --global-batch, the examples of an update over all ranks?"
  ),
  (
    ["epoch", "num-epochs", "n-epochs", "nepochs", "max-epochs", "num-train-epochs", "e"],
    "did you mean --epochs?"
  ),
  (
    ["max-steps", "num-steps", "n-steps", "iterations", "iters", "max-iter", "num-iterations", "step"],
    "did you mean --steps?"
  ),
  (
    ["eta", "eta0", "step-size", "learning-rate-init", "learningrate", "learn-rate", "rate", "alpha", "l-r"],
    "did you mean --learning-rate (--lr)?"
  ),
  (["optim", "opt", "solver", "update-rule"], "did you mean --optimizer?"),
  (["wd", "l2", "weight-penalty"], "did you mean --weight-decay?"),
  (
    ["betas", "beta1", "beta2", "epsilon", "eps", "rho"],
    "write it behind the rule: --optimizer adam:beta1=0.9,epsilon=1e-8"
  ),
  (
    ["clip", "clip-grad", "grad-clip", "clip-grad-norm", "max-grad-norm", "gradient-clip-val", "clipnorm"],
    "did you mean --clip-norm?"
  ),
  (["clip-grad-value", "clipvalue"], "did you mean --clip-value?"),
  (
    ["warmup-steps", "warmup-epochs", "warm-up", "num-warmup-steps", "warmup-ratio"],
    "did you mean --warmup, such as 500 or 5epochs?"
  ),
  (
    ["scale-lr", "lr-scaling", "linear-scaling"], "did you mean --scale-learning-rate linear --base-batch 32?"
  ),
  (
    [
      "hidden", "hidden-size", "hidden-sizes", "hidden-layers", "hidden-layer-sizes", "layers", "units",
      "arch",
    ],
    "did you mean --model mlp:256,128?"
  ),
  (["dropout"], "write it among the layers: --model 'dense:256 relu dropout:0.5 dense'"),
  (["criterion", "objective", "loss-function", "loss-fn"], "did you mean --loss?"),
  (
    ["lr-scheduler", "scheduler", "lr-schedule", "learning-rate-schedule", "decay"],
    "did you mean --schedule?"
  ),
  (["random-seed", "random-state", "rng-seed"], "did you mean --seed?"),
  (
    [
      "np", "n", "nproc", "nprocs", "nproc-per-node", "num-workers", "workers", "processes", "ranks",
      "world-size",
    ],
    "start it by mpirun: mpirun -np 4 distsgd …"
  ),
  (["num-threads", "nthreads", "n-threads", "n-jobs", "omp-num-threads"], "did you mean --threads?"),
  (
    ["device", "gpu", "gpus", "cuda", "num-gpus", "accelerator", "fp16", "bf16", "amp"],
    "distsgd computes on CPUs, in single precision; leave it out"
  ),
  (
    [
      "dataset", "datasets", "input", "train", "train-data", "training-data", "train-file", "csv", "file",
      "path",
    ],
    "did you mean --data?"
  ),
  (
    [
      "val", "valid", "validation-split", "validation-fraction", "val-split", "val-data", "validation-data",
      "test-size", "test-data", "eval-data", "holdout",
    ], "did you mean --validation?"
  ),
  (
    ["label", "labels", "y", "target-column", "label-column", "response", "targets"], "did you mean --target?"
  ),
  (["columns", "inputs", "x", "feature", "feature-columns"], "did you mean --features?"),
  (["drop", "ignore", "drop-columns", "skip-columns"], "did you mean --exclude?"),
  (["sample-weight", "sample-weights", "weight-column", "weights-column"], "did you mean --weight?"),
  (["normalize", "normalise", "scale", "scaling", "standardise"], "did you mean --standardize?"),
  (["delimiter", "separator", "sep"], "leave it out: a table's delimiter is found in its first rows"),
  (
    ["output-dir", "out", "out-dir", "outdir", "log-dir", "logdir", "save", "save-dir"],
    "did you mean --output?"
  ),
  (["save-every", "save-steps", "checkpoint", "checkpoint-interval"], "did you mean --checkpoint-every?"),
  (["resume-from", "resume-from-checkpoint", "continue", "restart"], "did you mean --resume?"),
  (["pretrained", "init", "load", "from", "init-weights", "checkpoint-path"], "did you mean --initialize?"),
  (["log-interval", "print-every", "log-steps"], "did you mean --log-every?"),
  (["eval-every", "eval-interval", "eval-steps"], "did you mean --evaluate-every, in examples?"),
  (["shuffle", "no-shuffle"], "did you mean --sampling shuffle or sequential?"),
  (["verbose", "v", "debug"], "leave it out: everything is told unless --quiet is there"),
]
