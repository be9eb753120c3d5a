"""Where exports come from: the services that own tasks, annotations, frames and pixels."""
