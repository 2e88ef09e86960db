def chrome(trace):
    return ""
