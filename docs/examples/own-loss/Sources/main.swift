// distsgd with one more loss: own-loss --loss pinball:quantile=0.75
import Commands
import NeuralNet

Catalog.add(loss: PinballLoss.self)
Program.main()
