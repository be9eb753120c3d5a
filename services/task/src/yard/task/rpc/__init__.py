"""The gRPC services: proto in, proto out."""
