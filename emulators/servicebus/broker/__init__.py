"""Service Bus semantics, free of AMQP endpoints: queues, topics, locks, sessions, durability."""
