// The event that opens metrics.jsonl: every setting, the data, the model, the machine.
import DistributedSGD
import MPI
import NeuralNet
import System

/// The first line of `metrics.jsonl`.
/// - Parameters:
///   - arithmetic: of the batch, in words.
///   - id: of the run.
func runEvent(
  _ options: TrainingOptions, _ setUp: SetUp, _ arithmetic: String, _ communicator: any Communicator,
  _ shards: Shards,
  _ schedule: BatchSchedule, _ placement: Placement, id: String?
) -> JSONLine {
  let topology = communicator.topology
  var line = JSONLine(event: "run")
  line["id"] = id
  line["version"] = version
  line["date"] = utcTime()
  line["commandLine"] = CommandLine.arguments
  line["data"] = options.data.data
  line["dataSummary"] = setUp.dataSummary
  line["examples"] = setUp.training.count
  line["features"] = setUp.training.featureCount
  line["validationExamples"] = setUp.validation?.count
  line["validation"] = options.data.validation
  line["target"] = setUp.preprocessing.targetName
  line["model"] = setUp.specification.description
  line["layers"] = setUp.model.text
  line["batchNorm"] = options.batchNorm?.rawValue
  line["activation"] = setUp.specification.activation?.rawValue
  line["parameters"] = setUp.model.trainedCount
  line["loss"] = setUp.loss.description
  line["initialize"] = options.initialize
  line["optimizer"] = options.optimizer.description
  line["schedule"] = options.schedule.description
  line["warmup"] = options.warmUp?.description
  line["learningRate"] = setUp.learningRate
  let settings = options.settings
  line["clipNorm"] = settings["--clip-norm"].flatMap(Double.init)
  line["clipValue"] = settings["--clip-value"].flatMap(Double.init)
  line["noDecayFor"] = settings["--no-decay-for"]
  line["scaleLearningRate"] = options.batchScaling?.rawValue
  line["baseBatch"] = options.baseBatch
  line["augment"] = settings["--augment"]
  line["labelSmoothing"] = options.labelSmoothing
  line["classWeights"] = settings["--class-weights"]
  line["balance"] = options.balancesClasses ? true : nil
  line["mixup"] = options.mixup
  line["earlyStopping"] = options.earlyStopping
  line["keepBest"] = options.keepsBest ? true : nil
  line["ema"] = options.averageDecay
  line["swa"] = options.averagesEpochs ? true : nil
  line["swaFrom"] = options.averagesFrom
  line["globalBatch"] = options.globalBatch
  line["batchArithmetic"] = arithmetic
  line["microBatch"] = options.microBatch
  line["lastBatch"] = options.lastBatch.rawValue
  line["sampling"] = options.sampling.rawValue
  line["duplicate"] = options.copies
  line["seed"] = options.seed
  line["epochs"] = options.epochs ?? (options.steps == nil ? options.epochLimit : nil)
  line["steps"] = options.steps
  line["stepsPerEpoch"] = schedule.stepsPerEpoch
  line["evaluateEvery"] = options.evaluateEvery
  line["logEvery"] = options.logEvery
  line["shards"] = shards.count
  line["ranks"] = communicator.worldSize
  line["servers"] = topology.serverCount
  line["hosts"] = topology.hosts
  line["serverOfRank"] = topology.serverOfRank
  line["threads"] = options.threads
  line["cores"] = placement.cores.count
  line["binding"] = placement.bound.rawValue
  line["wire"] = options.wire == .fp32 ? nil : options.wire.rawValue
  line["arithmetic"] = setUp.arithmetic.name
  line["arithmeticVersion"] = setUp.arithmetic == .blas ? nil : Arithmetic.portableVersion
  line["instructions"] = setUp.arithmetic.instructions?.description
  line["blasKernel"] = BLAS.kernelName
  line["blasKernelReplaced"] = BLAS.replacedKernel
  line["blas"] = BLAS.configuration
  line["vectors"] = vectorWidth
  line["mathematics"] = mathematicsLibrary
  line["hash"] = "XXH64"
  return line
}
