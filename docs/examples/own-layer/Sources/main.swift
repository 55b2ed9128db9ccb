// distsgd with one more layer: own-layer --data synthetic:1000,16 --model 'wave:5 relu dense'
import Commands
import NeuralNet

Catalog.add(layer: WaveConvolution.self)
Program.main()
