"""A queue broker, as RabbitMQ behaves: exchanges route, queues keep, channels push and are told what became of it.

letter        one message in one queue; one delivery of it; one publication, which may come to several queues
deaths        how often it was given up, by which queue and why
waiting       the order in a queue, and in which place comes back what was handed out
queue         what waits in order, who gets the next, what is given up, and the books
channel       one consumer: its channel, its prefetch, and the thread that handles one message after the other
exchange      what is published to: routes, confirms, and the alarm that holds publishers back
nodes         which nodes are up, who leads which queue, and who is connected to which
queue_broker  all of them, up or down, with an alarm or without
faults        what a fault does to them
"""
