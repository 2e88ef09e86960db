kstart -- sleep 1
break image_install if $kcurrent()->tid == 2
continue
delete
kswitch any
