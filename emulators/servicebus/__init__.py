"""Azure Service Bus on this machine: AMQP 1.0 for the unmodified SDKs, standard library only."""
